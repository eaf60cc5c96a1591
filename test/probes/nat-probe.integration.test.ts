import { expect, onTestFinished } from 'vitest';
import { startCoturn } from '../../src/coturn/server.ts';
import { probeNat } from '../../src/probes/nat-probe.ts';
import { targetOf } from '../support/facts.ts';
import { claimPorts } from '../support/ports.ts';
import { needs } from '../support/requirements.ts';

const { describe, it } = needs('coturn');

async function coturnWith(lines: readonly string[]): Promise<{ port: number; alternate: number }> {
  const ports = await claimPorts();
  onTestFinished(async () => ports.release());
  const [port, alternate] = [ports.next(), ports.next()];
  const text = [
    ...lines,
    `listening-port=${port}`,
    `alt-listening-port=${alternate}`,
    'relay-ip=127.0.0.1',
    'no-tls',
    'no-dtls',
    'use-auth-secret',
    'static-auth-secret=secret',
    'realm=test',
    `min-port=${ports.relay.min}`,
    `max-port=${ports.relay.max}`,
    'no-cli',
  ].join('\n');
  const coturn = await startCoturn({ config: { text } });
  onTestFinished(async () => coturn.stop());
  return { port, alternate };
}

describe('coturn', () => {
  it('with two listening addresses answers every test', async () => {
    const { port, alternate } = await coturnWith(['listening-ip=127.0.0.1', 'listening-ip=127.0.0.2']);
    const [facts] = await probeNat([targetOf('udp', { address: '127.0.0.1', port })], {
      clock: () => performance.now(),
      lifetimeMs: 500,
      signal: new AbortController().signal,
    });
    const other = { address: '127.0.0.2', port: alternate };
    expect(facts).toMatchObject({
      binding: { state: 'done', value: { xored: true, other } },
      filtering: {
        addressAndPort: { value: { from: other } },
        port: { value: { from: { address: '127.0.0.1', port: alternate } } },
      },
      control: { addressAndPort: { value: { from: other } }, port: { state: 'done' } },
      hairpin: { state: 'done' },
      // RESPONSE-PORT is what this one needs.
      lifetime: { state: 'done', value: { aliveMs: 500, goneMs: null } },
    });
    expect(facts?.mappings.map(({ answer }) => answer.state)).toEqual(['done', 'done', 'done']);
  });

  it('with one listening address names no other', async () => {
    const { port } = await coturnWith(['listening-ip=127.0.0.1']);
    const [facts] = await probeNat([targetOf('udp', { address: '127.0.0.1', port })], {
      clock: () => performance.now(),
      lifetimeMs: null,
      signal: new AbortController().signal,
    });
    expect(facts).toMatchObject({ binding: { value: { other: null } }, mappings: [] });
  });
});
