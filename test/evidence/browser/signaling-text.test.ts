import { describe, expect, it } from 'vitest';
import { readSignalingText } from '../../../src/evidence/browser/signaling-text.ts';

async function read(text: string) {
  const { connections } = await readSignalingText(
    (async function* once() {
      yield Buffer.from(text);
    })(),
  );
  return connections[0];
}

const sdp = (setup: string): string =>
  `v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0 101\r\na=setup:${setup}\r\na=sendonly\r\na=rtpmap:101 telephone-event/8000\r\na=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\n`;

describe('SDP and candidates', () => {
  it.each([
    ['one after the other', sdp('actpass') + sdp('active')],
    [
      'in JSON',
      JSON.stringify([
        { type: 'offer', sdp: sdp('actpass') },
        { type: 'answer', sdp: sdp('active') },
      ]),
    ],
    [
      'in JSON, a line each',
      `${JSON.stringify({ type: 'offer', sdp: sdp('actpass') })}\n${JSON.stringify({ type: 'answer', sdp: sdp('active') })}`,
    ],
  ])('an offer and its answer %s', async (_, text) => {
    const call = await read(text);
    expect(call?.descriptions.map(({ type, side }) => `${side} ${type}`)).toEqual([
      'local offer',
      'remote answer',
    ]);
    expect(call?.descriptions[0]?.sections?.[0]).toMatchObject({
      kind: 'audio',
      direction: 'sendonly',
      isIceLite: true,
      codecs: [{ name: 'PCMU' }, { name: 'telephone-event' }],
    });
    expect(call?.candidates.map(({ side, address }) => `${side} ${address}`)).toEqual([
      'local 192.0.2.1',
      'remote 192.0.2.1',
    ]);
  });

  it('a list of candidates, and a log of them', async () => {
    const call = await read(
      'a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\n12:00 remote candidate:2 1 UDP 1677729535 2001:db8::1 6000 typ srflx raddr 10.0.0.1 rport 7\n',
    );
    expect(call?.candidates).toMatchObject([
      { side: 'local', type: 'host', address: '192.0.2.1' },
      { side: 'remote', type: 'srflx', address: '2001:db8::1', relatedAddress: '10.0.0.1', relatedPort: 7 },
    ]);
  });

  it('a single answer is one', async () => {
    expect((await read(sdp('active')))?.descriptions.map(({ type }) => type)).toEqual(['answer']);
  });

  it('with digits where names belong are texts all the same', async () => {
    const odd = sdp('7')
      .replace('telephone-event/8000', '5/x')
      .replace('m=audio', 'm=9')
      .replace('UDP/TLS/RTP/SAVPF', '6');
    expect((await read(odd))?.descriptions[0]?.sections?.[0]).toMatchObject({
      kind: '9',
      protocol: '6',
      setup: '7',
      codecs: [{ name: 'PCMU' }, { name: '5', clockRate: 0 }],
    });
  });
});
