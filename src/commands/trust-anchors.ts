import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { RtcOpsError, reasonOf } from '../model/error.ts';
import type { CommandContext } from './context.ts';

/**
 * The certificates of --ca, and those that NODE_EXTRA_CA_CERTS adds to Node.js: given anchors would else take their place.
 * @returns PEM
 * @throws RtcOpsError `usage` for a file that cannot be read or has something else in it
 */
export async function trustAnchors(file: string, { env, workingDirectory }: CommandContext): Promise<string> {
  const extra = env['NODE_EXTRA_CA_CERTS'] ?? '';
  const own = await readCertificates(resolve(workingDirectory, file), `--ca ${file}`);
  return extra === '' ? own : `${own}\n${await readExtra(extra)}`;
}

/** Node.js itself only warns of a file that it cannot read, and goes on without. */
async function readExtra(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return '';
    throw error;
  }
}

const hint = 'It should hold PEM: -----BEGIN CERTIFICATE-----, Base64, -----END CERTIFICATE-----.';

async function readCertificates(file: string, name: string): Promise<string> {
  let pem: string;
  try {
    pem = await readFile(file, 'utf8');
  } catch (cause) {
    throw new RtcOpsError('usage', `${name} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  const blocks = pem.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]*(?:-----END[^\n]*)?/g) ?? [];
  if (blocks.length === 0) throw new RtcOpsError('usage', `${name} holds no PEM certificate`, { hint });
  for (const [index, block] of blocks.entries()) {
    try {
      // What OpenSSL cannot read it would leave out without a word, and trust nothing of it.
      void new X509Certificate(block);
    } catch (cause) {
      const which = blocks.length === 1 ? 'the certificate' : `certificate ${index + 1} of ${blocks.length}`;
      throw new RtcOpsError('usage', `${which} in ${name} cannot be read: ${reasonOf(cause)}`, {
        hint,
        cause,
      });
    }
  }
  return pem;
}
