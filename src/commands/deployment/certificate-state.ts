import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import type { RoleVariables } from '../../ansible/inventory.ts';
import type { WantedFile } from '../../ansible/plan.ts';
import { secretDigest } from '../../ansible/redaction.ts';
import { roleFile } from '../../ansible/role-file.ts';
import type { Config, Host } from '../../config/config.ts';
import { RtcOpsError, reasonOf } from '../../model/error.ts';

/** What a certificate by certbot needs on a host; nothing where there is none. */
export interface CertificateState {
  readonly names: readonly string[];
  readonly files: readonly WantedFile[];
  readonly variables: RoleVariables;
}

/**
 * @param options.configFile rtc-ops.yaml: the credentials of a DNS plugin are a path beside it
 * @param options.key by which secrets are given as digests
 * @throws RtcOpsError `configuration` for a name that no authority certifies, or credentials that cannot be read
 */
export async function certificateState(
  host: Host,
  { tls }: Config,
  options: { readonly configFile: string; readonly key: string },
): Promise<CertificateState> {
  const certbot = tls?.certbot ?? null;
  if (certbot === null) return { names: [], files: [], variables: {} };
  const names = certbot.names.length > 0 ? certbot.names : [host.name];
  const address = names.find((name) => isIP(name) !== 0);
  if (address !== undefined) {
    throw new RtcOpsError(
      'configuration',
      `${address}: certbot gets certificates for names, not for addresses`,
      {
        hint: 'Name the host as clients dial it, or give tls.certbot.names.',
      },
    );
  }
  const { challenge } = certbot;
  const plugin = typeof challenge === 'object' && 'dns' in challenge ? challenge : null;
  const webroot = typeof challenge === 'object' && 'webroot' in challenge ? challenge.webroot : null;
  const credentials = plugin?.credentials ?? null;
  const credentialsFile = credentials === null ? null : resolve(dirname(options.configFile), credentials);
  const request = [
    `names: ${names.join(' ')}`,
    `server: ${certbot.server}`,
    `email: ${certbot.email ?? ''}`,
    `challenge: ${plugin?.dns ?? webroot ?? 'http-01'}`,
  ];
  return {
    names,
    files: [
      roleFile('certbot-hook.sh', '/etc/letsencrypt/renewal-hooks/deploy/rtc-ops-coturn', '0755'),
      roleFile('acme-port.py', '/usr/local/sbin/rtc-ops-acme-port', '0755'),
      {
        path: certificateRequest,
        ...{ owner: 'root', group: 'root', mode: '0644', isConstant: false },
        text: `${request.join('\n')}\n`,
      },
      ...(credentialsFile === null ? [] : [await credentialsOf(credentialsFile, options.key)]),
    ],
    variables: {
      coturn_certbot_names: names,
      coturn_certbot_server: certbot.server,
      coturn_certbot_email: certbot.email ?? '',
      coturn_certbot_webroot: webroot ?? '',
      coturn_certbot_dns_plugin: plugin?.dns ?? '',
      coturn_certbot_dns_credentials_src: credentialsFile ?? '',
    },
  };
}

/** The file on a host that says what its certificate was asked for with. */
export const certificateRequest = '/etc/coturn/tls/request';

async function credentialsOf(file: string, key: string): Promise<WantedFile> {
  try {
    const text = secretDigest(await readFile(file), key);
    return {
      path: '/etc/letsencrypt/rtc-ops-dns.ini',
      owner: 'root',
      group: 'root',
      mode: '0600',
      text,
      isConstant: false,
    };
  } catch (cause) {
    throw new RtcOpsError('configuration', `tls.certbot.challenge.credentials: ${file}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}
