import { describe, expect, it } from 'vitest';
import { askByDatagram } from '../../src/net/datagrams.ts';
import { openUdp } from '../../src/net/udp.ts';
import { udpListener, unusedPort } from '../support/strange-listener.ts';

const { signal } = new AbortController();

async function asked(port: number, timeoutMs = 300) {
  const transport = await openUdp({ remote: { address: '127.0.0.1', port }, signal });
  try {
    return await askByDatagram(transport, Buffer.from('?'), { timeoutMs, signal });
  } finally {
    transport.close();
  }
}

describe('what comes back of a datagram', () => {
  it('is all of it, not its first part', async () => {
    const port = await udpListener(() => Buffer.from('!'), 3);
    expect((await asked(port)).answers.map(String)).toEqual(['!', '!', '!']);
  });

  it('is asked for again while nothing comes', async () => {
    let heard = 0;
    const port = await udpListener(() => (++heard === 2 ? Buffer.from('!') : null));
    expect(await asked(port)).toMatchObject({ sent: 2, answers: [Buffer.from('!')] });
  });

  it('is nothing where nobody answers, and an error where nobody listens', async () => {
    expect(await asked(await udpListener(() => null))).toEqual({ sent: 3, answers: [] });
    await expect(asked(await unusedPort())).rejects.toMatchObject({ failure: { code: 'ECONNREFUSED' } });
  });

  it('is not waited for after an abort', async () => {
    const port = await udpListener(() => null);
    const transport = await openUdp({ remote: { address: '127.0.0.1', port }, signal });
    const reason = new Error('enough');
    const limits = { timeoutMs: 60_000, signal: AbortSignal.abort(reason) };
    await expect(askByDatagram(transport, Buffer.from('?'), limits)).rejects.toBe(reason);
    transport.close();
  });
});
