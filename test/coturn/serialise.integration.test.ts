import { afterEach, beforeEach, expect, it } from 'vitest';
import { serialise } from '../../src/coturn/serialise.ts';
import { startCoturn } from '../../src/coturn/server.ts';
import { claimPorts, type PortBlock } from '../support/ports.ts';
import { needs } from '../support/requirements.ts';

let ports: PortBlock;

beforeEach(async () => {
  ports = await claimPorts();
});

afterEach(async () => {
  await ports.release();
});

/** A realm as coturn reads it, by what it logs. */
async function realmReadBack(realm: string): Promise<string | undefined> {
  const directives = [
    { name: 'listening-ip', value: '127.0.0.1' },
    { name: 'listening-port', value: String(ports.next()) },
    { name: 'no-tls', value: true as const },
    { name: 'lt-cred-mech', value: true as const },
    { name: 'realm', value: realm },
  ];
  const text = serialise([{ title: 'Test', directives }], { heading: ['Test.'], secrets: 'revealed' });
  const server = await startCoturn({ config: { text } });
  await server.stop();
  return /Default realm: (.*)/.exec(server.logText())?.[1];
}

needs('coturn').describe('coturn reads back', () => {
  it.each(['a', 'a # b', 'a=b', 'a  b', 'a"b"', 'é', "'a'", '\\n', '#', '-a', 'x'.repeat(127)])(
    '%j',
    async (realm) => {
      expect(await realmReadBack(realm)).toBe(realm);
    },
  );
});
