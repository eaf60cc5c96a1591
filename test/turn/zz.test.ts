import { it, expect } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { relayServer } from '../support/relay-server.ts';
import { allocate } from '../../src/turn/allocation.ts';
it('x', async () => {
  const server = await relayServer([]);
  for (let i = 0; i < 60; i++) {
    const abort = new AbortController();
    const p = allocate({ server: server.listener('udp'), credential: server.turnCredential, timeoutMs: 2000, signal: abort.signal }).then(async a => { await a.release(); }, () => {});
    setTimeout(() => abort.abort(new Error('x')), Math.random() * 4);
    await p;
  }
  await sleep(1500);
  const held = server.heldAllocations();
  console.log('held', held);
  for (const h of held) console.log(server.coturn.logText().split('\n').filter(l => l.includes(h)).join('\n'));
  expect(held).toEqual([]);
}, 60000);
