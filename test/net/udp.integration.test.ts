import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { needs } from '../support/requirements.ts';

/** In a network of its own, where a route can be taken away and given back. */
const script = `
  import { createSocket } from 'node:dgram';
  import { execSync } from 'node:child_process';
  import { once } from 'node:events';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { openUdp } from '${new URL('../../dist/net/udp.js', import.meta.url).href}';

  const ip = (words) => execSync('ip ' + words);
  ip('link set lo up');
  const server = createSocket('udp4').on('message', (bytes, { address, port }) => server.send(bytes, port, address));
  server.bind(0, '127.0.0.5');
  await once(server, 'listening');
  const remote = { address: '127.0.0.5', port: server.address().port };
  const { signal } = new AbortController();

  const events = [];
  const watched = (name, transport) => {
    transport.onBytes = (bytes) => events.push(name + ' heard ' + bytes);
    transport.onClosed = (failure) => events.push(name + ' ended ' + failure.code);
    return transport;
  };
  const used = watched('used', await openUdp({ remote, signal }));
  const fresh = watched('fresh', await openUdp({ remote, signal }));
  used.send(Buffer.from('one'));
  await sleep(50);
  ip('route add unreachable 127.0.0.5 table local');
  used.send(Buffer.from('lost'));
  fresh.send(Buffer.from('lost'));
  await sleep(50);
  ip('route del unreachable 127.0.0.5 table local');
  used.send(Buffer.from('two'));
  await sleep(50);
  console.log(JSON.stringify(events));
  process.exit();
`;

needs('root', 'iproute2').it(
  'openUdp outlives a route that is lost for a moment, once it has heard anything',
  async () => {
    const { stdout } = await promisify(execFile)('unshare', [
      '--net',
      process.execPath,
      '--input-type=module',
      '-e',
      script,
    ]);
    expect(JSON.parse(stdout)).toEqual(['used heard one', 'fresh ended EHOSTUNREACH', 'used heard two']);
  },
);
