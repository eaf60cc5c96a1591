import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listeningSockets } from '../../../src/probes/firewall/socket-probe.ts';

describe.runIf(process.platform === 'linux')('listeningSockets', () => {
  it('finds what listens, by protocol, address and port, with the program', async () => {
    const tcp = createServer().listen(0, '127.0.0.1');
    const udp = createSocket('udp6').bind(0, '::1');
    const connected = createSocket('udp4');
    onTestFinished(() => {
      tcp.close();
      udp.close();
      connected.close();
    });
    await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
    connected.connect(9, '127.0.0.1');
    await once(connected, 'connect');
    const seen = await listeningSockets();
    const sockets = seen.state === 'seen' ? seen.value : [];
    const program = sockets.find(({ port }) => port === (tcp.address() as AddressInfo).port)?.program;
    expect(sockets).toContainEqual({
      protocol: 'tcp',
      address: '127.0.0.1',
      port: (tcp.address() as AddressInfo).port,
      program,
    });
    expect(program).toEqual(expect.any(String));
    expect(sockets).toContainEqual(
      expect.objectContaining({ protocol: 'udp', address: '::1', port: udp.address().port }),
    );
    expect(sockets.map(({ port }) => port)).not.toContain(connected.address().port);
  });
});
