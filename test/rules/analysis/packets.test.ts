import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { streamSource } from '../../../src/evidence/byte-source.ts';
import { readCapture } from '../../../src/evidence/pcap/capture.ts';
import type { Endpoint } from '../../../src/model/endpoint.ts';
import { judgeCapture as rules } from '../../../src/rules/analysis/packets.ts';
import type { JudgedRecording } from '../../../src/rules/analysis/judged-recording.ts';
import { xorPeerAddress, xorRelayedAddress } from '../../../src/stun/address-attributes.ts';
import { put, type EncodableAttribute } from '../../../src/stun/attribute.ts';
import { realm, username } from '../../../src/stun/authentication-attributes.ts';
import { encodeChannelData } from '../../../src/stun/channel-data.ts';
import { errorCode } from '../../../src/stun/message-attributes.ts';
import { encodeMessage, method, type MessageClass } from '../../../src/stun/message.ts';
import { channelNumber, data, lifetime } from '../../../src/stun/relay-attributes.ts';
import { ipAround, ipBytes, pcapOf, type Framed, type WrittenPacket } from '../../support/capture-writer.ts';
import { captureMediaCatalog } from '../../../src/model/catalog/capture-media.ts';
import { captureTurnCatalog } from '../../../src/model/catalog/capture-turn.ts';
import { ProvokedFindings } from '../../support/provoked.ts';

const provoked = new ProvokedFindings();
const judgeCapture = provoked.watch(rules);

const start = 1_795_266_352;
const client = { address: '192.0.2.7', port: 51000 };
const server = { address: '203.0.113.10', port: 3478 };
const peer = { address: '198.51.100.20', port: 40000 };
const relayed = { address: '203.0.113.10', port: 50000 };
const key = Buffer.alloc(16, 1);

/** A capture, packet by packet; each is 20 ms after the one before. */
class Capture {
  readonly packets: Framed[] = [];
  #at = start;
  #ids = 0;

  wait(seconds: number): this {
    this.#at += seconds;
    return this;
  }

  send(from: Endpoint, to: Endpoint, payload: Uint8Array, more: Partial<WrittenPacket> = {}): this {
    this.packets.push({ at: this.#at, bytes: ipBytes({ at: this.#at, from, to, payload, ...more }) });
    this.#at += 0.02;
    return this;
  }

  raw(bytes: Buffer): this {
    this.packets.push({ at: this.#at, bytes });
    this.#at += 0.02;
    return this;
  }

  /** A request and its answer: null is none, a number an error. */
  ask(
    asked: number,
    answer: 'success' | number | null,
    {
      request = [],
      reply = [],
      signed = true,
    }: { request?: EncodableAttribute[]; reply?: EncodableAttribute[]; signed?: boolean } = {},
    [from, to, ttl]: readonly [Endpoint, Endpoint, number] = [client, server, 64],
  ): this {
    const transactionId = Buffer.from(String(this.#ids++).padStart(12, '0'));
    const message = (type: MessageClass, attributes: EncodableAttribute[], isSigned: boolean): Uint8Array =>
      encodeMessage({
        class: type,
        method: asked,
        transactionId,
        attributes,
        ...(isSigned ? { integrity: { key } } : {}),
      });
    this.send(from, to, message('request', request, signed));
    if (answer === null) return this;
    const attributes =
      answer === 'success' ? reply : [put(errorCode, { code: answer, reason: '' }), ...reply];
    return this.send(to, from, message(answer === 'success' ? 'success' : 'error', attributes, false), {
      ttl,
    });
  }

  allocate(address: Endpoint = relayed): this {
    return this.ask(method.allocate, 401, { signed: false, reply: [put(realm, 'r')] }).ask(
      method.allocate,
      'success',
      {
        request: [put(username, 'alice')],
        reply: [put(xorRelayedAddress, address), put(lifetime, 600)],
      },
    );
  }

  bind(): this {
    return this.ask(method.channelBind, 'success', {
      request: [put(channelNumber, 0x4000), put(xorPeerAddress, peer)],
    });
  }

  /** As `tcpdump -s` takes it: the first bytes of each packet. */
  cutTo(length: number): this {
    for (const [index, { at, bytes }] of this.packets.entries())
      this.packets[index] = { at, bytes: bytes.subarray(0, length), originalLength: bytes.length };
    return this;
  }

  async judged(): Promise<JudgedRecording> {
    const source = streamSource(Readable.from([pcapOf(this.packets)]), 'x.pcap');
    return judgeCapture(await readCapture(source, 'x.pcap'));
  }

  async codes(): Promise<string[]> {
    return (await this.judged()).findings.map(({ code, severity }) => `${severity} ${code}`);
  }
}

const rtp = (sequence: number, timestamp: number, ssrc = 7): Buffer => {
  const bytes = Buffer.alloc(60);
  bytes[0] = 0x80;
  bytes[1] = 111;
  bytes.writeUInt16BE(sequence & 0xffff, 2);
  bytes.writeUInt32BE(timestamp >>> 0, 4);
  bytes.writeUInt32BE(ssrc, 8);
  return bytes;
};

/** A DTLS record in clear, or of epoch 1. */
const dtls = (type: number, body: readonly number[], epoch = 0): Buffer =>
  Buffer.from([type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0, 0, body.length, ...body]);
const clientHello = dtls(22, [1, 0, 0, 0]);
const serverHello = dtls(22, [2, 0, 0, 0]);

const icmp = (type: number, code: number, from: string, about: Buffer): Buffer =>
  ipAround(from, client.address, 1, Buffer.concat([Buffer.from([type, code, 0, 0, 0, 0, 0, 0]), about]));

const audio = (
  capture: Capture,
  from: Endpoint,
  to: Endpoint,
  count: number,
  skip: (n: number) => boolean = () => false,
): Capture => {
  for (let n = 0; n < count; n++) {
    if (skip(n)) capture.wait(0.02);
    else capture.send(from, to, rtp(n + 65_500, n * 960 + 4_294_900_000));
  }
  return capture;
};

describe('a healthy call', () => {
  it('through a relay gives nothing', async () => {
    const capture = new Capture().allocate().bind();
    for (let n = 0; n < 100; n++) {
      capture.send(client, server, encodeChannelData(0x4000, rtp(n, n * 960), { padded: false })).wait(-0.01);
      capture
        .send(server, client, encodeChannelData(0x4000, rtp(n, n * 960, 8), { padded: false }))
        .wait(-0.01);
    }
    capture.ask(method.refresh, 'success', { reply: [put(lifetime, 0)] });
    expect(await capture.judged()).toEqual({ findings: [], notJudged: [], isTelling: true, isWhole: true });
  });

  it('without one gives nothing, where one pair of several is answered', async () => {
    const capture = new Capture();
    const ice = { request: [put(username, 'x:y')] };
    for (let n = 0; n < 8; n++)
      capture.ask(method.binding, null, ice, [client, { ...peer, address: '10.0.0.9' }, 64]);
    capture.ask(method.binding, 'success', ice, [client, peer, 64]);
    capture.send(client, peer, clientHello).send(peer, client, serverHello);
    capture.send(client, peer, dtls(22, [0], 1)).send(peer, client, dtls(22, [0], 1));
    for (let n = 0; n < 100; n++) {
      capture.send(client, peer, rtp(n, n * 960)).wait(-0.01);
      capture.send(peer, client, rtp(n, n * 960, 8)).wait(-0.01);
    }
    expect(await capture.codes()).toEqual([]);
  });
});

describe('a server', () => {
  it('that does not answer', async () => {
    const capture = new Capture();
    for (let n = 0; n < 3; n++) capture.ask(method.allocate, null, { signed: false });
    expect(await capture.wait(2).send(client, peer, rtp(1, 1)).codes()).toEqual([
      'error CAPTURE_SERVER_SILENT',
    ]);
  });

  it('that does not answer beside one that does', async () => {
    const capture = new Capture().allocate();
    const other = { ...server, address: '203.0.113.99' };
    for (let n = 0; n < 3; n++) capture.ask(method.allocate, null, { signed: false }, [client, other, 64]);
    expect(await capture.wait(2).send(client, peer, rtp(1, 1)).codes()).toEqual([
      'warning CAPTURE_SERVER_SILENT',
    ]);
  });

  it('of something else that is refused is left out', async () => {
    const capture = new Capture();
    const web = { address: '203.0.113.77', port: 8080 };
    capture.send(client, web, Buffer.alloc(0), { protocol: 'tcp', tcp: { flags: 2, sequence: 1 } });
    capture.send(web, client, Buffer.alloc(0), { protocol: 'tcp', tcp: { flags: 4, sequence: 0 } });
    expect(await capture.codes()).toEqual([]);
  });

  it('that was asked to forget what it never had is no lost allocation', async () => {
    const codes = await new Capture().ask(method.refresh, 437, { request: [put(lifetime, 0)] }).codes();
    expect(codes).toEqual([]);
  });

  it('that may still answer is not called silent', async () => {
    expect(await new Capture().ask(method.allocate, null).ask(method.allocate, null).codes()).toEqual([]);
  });

  it('that answers another port of the client is not called silent', async () => {
    const other = { ...client, port: 51001 };
    const capture = new Capture().ask(method.allocate, null).ask(method.allocate, null).wait(5);
    capture.ask(method.binding, 'success', {}, [other, server, 64]);
    expect(await capture.codes()).toEqual([]);
  });

  it.each<[string, number, number, string]>([
    ['that nothing listens on', 3, 3, 'CAPTURE_PORT_CLOSED'],
    ['that a firewall rejects', 3, 13, 'CAPTURE_PATH_PROHIBITED'],
    ['that no route leads to', 3, 1, 'CAPTURE_PATH_PROHIBITED'],
  ])('%s', async (_what, type, code, finding) => {
    const capture = new Capture().ask(method.allocate, null);
    const [about] = capture.packets;
    capture.raw(icmp(type, code, '192.0.2.1', about?.bytes ?? Buffer.alloc(0)));
    const { findings } = await capture.judged();
    expect(findings).toMatchObject([{ code: finding, evidence: { by: '192.0.2.1', count: 1 } }]);
  });

  it.each<[string, number, string]>([
    ['refuses TCP', 4, 'CAPTURE_PORT_CLOSED'],
    ['drops TCP', 0, 'CAPTURE_SERVER_SILENT'],
  ])('that %s', async (_what, flags, finding) => {
    const capture = new Capture();
    for (let n = 0; n < 3; n++)
      capture.send(client, server, Buffer.alloc(0), { protocol: 'tcp', tcp: { flags: 2, sequence: 1 } });
    if (flags !== 0)
      capture.send(server, client, Buffer.alloc(0), { protocol: 'tcp', tcp: { flags, sequence: 0 } });
    expect((await capture.judged()).findings).toMatchObject([
      { code: finding, evidence: { transport: 'tcp', count: 3 } },
    ]);
  });

  it('whose certificate the client does not trust', async () => {
    const tls = (from: Endpoint, to: Endpoint, sequence: number, ...bytes: number[]): void => {
      capture.send(from, to, Buffer.from(bytes), { protocol: 'tcp', tcp: { flags: 24, sequence } });
    };
    const capture = new Capture().send(client, server, Buffer.alloc(0), {
      protocol: 'tcp',
      tcp: { flags: 2, sequence: 9 },
    });
    capture.send(server, client, Buffer.alloc(0), { protocol: 'tcp', tcp: { flags: 18, sequence: 99 } });
    tls(client, server, 10, 22, 3, 1, 0, 4, 1, 0, 0, 0);
    tls(server, client, 100, 22, 3, 3, 0, 4, 2, 0, 0, 0);
    tls(client, server, 19, 21, 3, 3, 0, 2, 2, 48);
    expect((await capture.judged()).findings).toMatchObject([
      { code: 'CAPTURE_TLS_ALERT', evidence: { alert: 'unknown_ca', from: '192.0.2.7:51000' } },
    ]);
  });

  it('that sends with a TTL of 1', async () => {
    const capture = new Capture().ask(method.allocate, 401, { signed: false }, [client, server, 1]);
    expect(await capture.codes()).toEqual(['error CAPTURE_REPLY_TTL_ONE']);
  });
});

describe('a TURN client', () => {
  it.each<[string, string]>([
    ['1600000000:alice', 'CAPTURE_CREDENTIALS_EXPIRED'],
    ['1999999999:alice', 'CAPTURE_CREDENTIALS_REFUSED'],
    ['alice', 'CAPTURE_CREDENTIALS_REFUSED'],
  ])('whose credentials are refused: %s', async (name, code) => {
    const capture = new Capture().ask(method.allocate, 401, { signed: false, reply: [put(realm, 'r')] });
    capture.ask(method.allocate, 401, { request: [put(username, name)], reply: [put(realm, 'r')] });
    expect((await capture.judged()).findings).toMatchObject([
      { code, evidence: { username: name, realm: 'r', count: 1 } },
    ]);
  });

  it('whose challenge is not answered yet is not called refused', async () => {
    expect(await new Capture().ask(method.allocate, 401, { signed: false }).codes()).toEqual([]);
  });

  it.each([486, 508, 442])('whose allocation is refused with %d', async (code) => {
    const capture = new Capture().ask(method.allocate, 401, { signed: false }).ask(method.allocate, code);
    expect((await capture.judged()).findings).toMatchObject([
      { code: 'CAPTURE_ALLOCATION_REFUSED', evidence: { code } },
    ]);
  });

  it('that gets a private relay address', async () => {
    const capture = new Capture().allocate({ address: '172.16.0.10', port: 50000 });
    expect((await capture.judged()).findings).toMatchObject([
      { code: 'CAPTURE_RELAY_PRIVATE', evidence: { relayed: '172.16.0.10:50000', scope: 'private' } },
    ]);
  });

  it.each<[string, string, boolean, string[]]>([
    ['a public peer', '198.51.100.9', true, ['error CAPTURE_PEERS_REFUSED']],
    ['a private one beside another', '10.0.0.9', true, ['info CAPTURE_PEERS_REFUSED']],
    ['a private one alone', '10.0.0.9', false, ['error CAPTURE_PEERS_REFUSED']],
  ])('that is refused %s', async (_what, address, hasOther, codes) => {
    const permit = (target: string): { request: EncodableAttribute[] } => ({
      request: [put(xorPeerAddress, { address: target, port: 0 })],
    });
    const capture = new Capture().allocate().ask(method.createPermission, 403, permit(address));
    if (hasOther) capture.ask(method.createPermission, 'success', permit(peer.address));
    expect(await capture.codes()).toEqual(codes);
  });

  it.each(['ChannelData', 'Send'])('that gets nothing back through the relay: %s', async (kind) => {
    const capture = new Capture().allocate().bind();
    for (let n = 0; n < 30; n++) {
      const payload = Buffer.alloc(20, 0xc0);
      const send = encodeMessage({
        class: 'indication',
        method: method.send,
        attributes: [put(xorPeerAddress, peer), put(data, payload)],
      });
      capture.send(
        client,
        server,
        kind === 'Send' ? send : encodeChannelData(0x4000, payload, { padded: false }),
      );
    }
    expect((await capture.judged()).findings).toMatchObject([
      { code: 'CAPTURE_RELAY_ONE_WAY', severity: 'error', evidence: { count: 30 } },
    ]);
  });

  it('whose allocation is gone when it refreshes', async () => {
    expect(await new Capture().allocate().ask(method.refresh, 437).codes()).toEqual([
      'error CAPTURE_ALLOCATION_LOST',
    ]);
  });

  it('whose allocation is used beyond its lifetime', async () => {
    const capture = new Capture().allocate().bind().wait(700);
    capture.send(client, server, encodeChannelData(0x4000, Buffer.alloc(20, 0xc0), { padded: false }));
    expect((await capture.judged()).findings).toMatchObject([
      {
        code: 'CAPTURE_ALLOCATION_LOST',
        evidence: { because: 'no Refresh was granted in its lifetime of 600 s' },
      },
    ]);
  });
});

describe('between two peers', () => {
  it('no check is answered', async () => {
    const capture = new Capture();
    for (let n = 0; n < 6; n++)
      capture.ask(method.binding, null, { request: [put(username, 'x:y')] }, [client, peer, 64]);
    expect(await capture.wait(3).send(client, server, rtp(1, 1)).codes()).toEqual([
      'error CAPTURE_CHECKS_UNANSWERED',
    ]);
  });

  it.each<[string, readonly (readonly [Endpoint, Endpoint, Buffer])[], string[]]>([
    [
      'stops after the ClientHello',
      [
        [client, peer, clientHello],
        [client, peer, clientHello],
        [client, peer, clientHello],
      ],
      ['error CAPTURE_DTLS_UNANSWERED'],
    ],
    ['has only begun', [[client, peer, clientHello]], []],
    [
      'never ends',
      [
        [client, peer, clientHello],
        [peer, client, serverHello],
        [client, peer, clientHello],
      ],
      ['error CAPTURE_DTLS_INCOMPLETE'],
    ],
    [
      'fails',
      [
        [client, peer, clientHello],
        [peer, client, dtls(21, [2, 42])],
      ],
      ['error CAPTURE_DTLS_ALERT'],
    ],
  ])('DTLS %s', async (_what, records, codes) => {
    const capture = new Capture();
    for (const [from, to, bytes] of records) capture.send(from, to, bytes);
    // The way is open in both directions.
    capture.send(client, peer, rtp(1, 1)).send(peer, client, rtp(1, 1)).wait(4).send(client, peer, rtp(2, 2));
    expect(await capture.codes()).toEqual(codes);
  });

  it('media flows one way only', async () => {
    const capture = audio(
      new Capture().ask(method.binding, 'success', { request: [put(username, 'x:y')] }, [client, peer, 64]),
      client,
      peer,
      100,
    );
    expect((await capture.judged()).findings).toMatchObject([
      {
        code: 'CAPTURE_RTP_ONE_WAY',
        evidence: { from: '192.0.2.7:51000', to: '198.51.100.20:40000', count: 100 },
      },
    ]);
  });

  it('media is lost', async () => {
    const capture = audio(new Capture(), peer, client, 200, (n) => n % 10 === 3);
    for (let n = 0; n < 60; n++) capture.send(client, peer, rtp(n, n * 960, 9));
    const { findings } = await capture.judged();
    expect(findings).toMatchObject([
      { code: 'CAPTURE_RTP_LOST', evidence: { ssrc: '00000007', from: '198.51.100.20:40000' } },
    ]);
    const [lost] = findings;
    expect(lost !== undefined && 'measured' in lost.evidence && lost.evidence.measured).toBeCloseTo(0.1, 2);
  });

  it('media comes unevenly, and pauses', async () => {
    const uneven = new Capture();
    for (let n = 0; n < 200; n++)
      uneven
        .send(client, peer, rtp(n, n * 960))
        .wait(n % 2 === 0 ? 0.14 : -0.14)
        .send(peer, client, rtp(n, n * 960, 8))
        .wait(-0.02);
    expect(await uneven.codes()).toContain('warning CAPTURE_RTP_JITTER');
    const paused = new Capture();
    for (let n = 0; n < 200; n++) {
      if (n === 100) paused.wait(5);
      const ticks = n * 960 + (n >= 100 ? 240_000 : 0);
      paused
        .send(client, peer, rtp(n, ticks))
        .wait(-0.01)
        .send(peer, client, rtp(n, ticks, 8))
        .wait(-0.01);
    }
    const { findings } = await paused.judged();
    expect(findings.map(({ code }) => code)).toEqual(['CAPTURE_RTP_GAP', 'CAPTURE_RTP_GAP']);
  });
});

describe('what cannot be judged', () => {
  it('is silence, in a capture of one direction', async () => {
    const capture = new Capture();
    for (const port of [1, 2])
      for (let n = 0; n < 4; n++) capture.ask(method.allocate, null, {}, [{ ...client, port }, server, 64]);
    const { findings, notJudged } = await capture.wait(5).send(client, peer, rtp(1, 1)).judged();
    expect(findings).toEqual([]);
    expect(notJudged.join()).toMatch(/one direction/);
  });

  it('but repetitions are proof even there', async () => {
    const capture = new Capture();
    for (const port of [1, 2]) {
      const request = encodeMessage({
        class: 'request',
        method: method.allocate,
        transactionId: Buffer.from(`abcdefghijk${port}`),
      });
      for (let n = 0; n < 4; n++) capture.send({ ...client, port }, server, request);
    }
    const { findings } = await capture.wait(5).send(client, peer, rtp(1, 1)).judged();
    expect(findings).toMatchObject([{ code: 'CAPTURE_SERVER_SILENT', evidence: { flows: 2, count: 6 } }]);
  });

  it('is what messages say that the capture has cut', async () => {
    for (const [asked, code] of [
      [method.allocate, 403],
      [method.allocate, 486],
      [method.createPermission, 403],
    ] as const) {
      const capture = new Capture().ask(asked, code).cutTo(20 + 8 + 22);
      const { findings, notJudged, isWhole } = await capture.judged();
      expect(findings).toEqual([]);
      expect(isWhole).toBe(false);
      expect(notJudged.join()).toMatch(/2 STUN messages of x\.pcap are cut/);
    }
    const { notJudged } = await new Capture().ask(method.allocate, 486).cutTo(40).judged();
    expect(notJudged.join()).toMatch(/that can be seen: its packets are cut too short/);
  });

  it('is a capture without calls', async () => {
    const judged = await new Capture().send(client, server, Buffer.from('hello')).judged();
    expect(judged).toMatchObject({ findings: [], isTelling: false });
    expect(judged.notJudged.join()).toMatch(/no STUN/);
  });
});

it('provokes every finding that there is of this kind', () => {
  expect(provoked.missing(Object.keys({ ...captureTurnCatalog, ...captureMediaCatalog }))).toEqual([]);
});
