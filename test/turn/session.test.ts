import { describe, expect, it, onTestFinished } from 'vitest';
import type { TransportKind } from '../../src/model/turn-uri.ts';
import { turnErrors } from '../../src/model/turn-error-code.ts';
import { alternateServer } from '../../src/stun/address-attributes.ts';
import { firstAttribute, put, putRaw, read, sealType } from '../../src/stun/attribute.ts';
import {
  nonce,
  passwordAlgorithm,
  passwordAlgorithmNumber,
  passwordAlgorithms,
  realm,
  userhash,
  username,
} from '../../src/stun/authentication-attributes.ts';
import {
  longTermKey,
  userhashOf,
  verifyMessageIntegrity,
  verifyMessageIntegritySha256,
} from '../../src/stun/integrity.ts';
import { alternateDomain, errorCode } from '../../src/stun/message-attributes.ts';
import { decodeMessage, encodeMessage, method } from '../../src/stun/message.ts';
import { lifetime } from '../../src/stun/relay-attributes.ts';
import { openConnection } from '../../src/turn/server.ts';
import { TryAlternateError, TurnSession, type Answer, type TurnCredential } from '../../src/turn/session.ts';
import { failureOf } from '../support/rejection.ts';
import {
  challenge,
  granted,
  scriptedServer,
  serverKey,
  serverRealm,
  turnCredential,
  type ReceivedRequest,
  type ScriptedServer,
} from '../support/scripted-server.ts';

const { signal } = new AbortController();

interface Scripted extends ScriptedServer {
  readonly session: TurnSession;
  readonly request: (timeoutMs?: number) => Promise<Answer>;
}

/** A session with a server that does as `script` says; `request` makes a Refresh, which any server understands. */
async function sessionWith(
  script: (request: ReceivedRequest, index: number) => void,
  {
    transport = 'udp',
    credential = turnCredential,
  }: { transport?: TransportKind; credential?: TurnCredential | null } = {},
): Promise<Scripted> {
  const scripted = await scriptedServer(transport, script);
  const { connection } = await openConnection(scripted.server, { timeoutMs: 1000, signal }).ready;
  onTestFinished(() => connection.close());
  const session = new TurnSession(connection, credential);
  const request = (timeoutMs = 2000): Promise<Answer> =>
    session.request(method.refresh, [put(lifetime, 600)], { timeoutMs, signal });
  return { ...scripted, session, request };
}

/** RFC 8489 §9.2: the cookie and 24 bits, of which the lowest two are features. */
function nonceWith(...features: ('algorithms' | 'anonymity')[]): string {
  const bits = (features.includes('algorithms') ? 1 : 0) | (features.includes('anonymity') ? 2 : 0);
  return `obMatJos2${Buffer.of(0, 0, bits).toString('base64')}nonce`;
}

describe('the challenge', () => {
  it('is answered with realm, nonce and a signature, and then remembered', async () => {
    const { request, requests, session } = await sessionWith((one) => one.serve());
    await request();
    await request();
    expect(requests.map(({ isSigned }) => isSigned)).toEqual([false, true, true]);
    const signed = requests[1]?.message;
    if (!signed) throw new Error('no second request');
    expect(read(signed, username)).toBe('alice');
    expect(read(signed, realm)).toBe(serverRealm);
    expect(read(signed, nonce)).toBe('first-nonce');
    expect(verifyMessageIntegrity(signed, serverKey)).toBe('valid');
    expect(signed.transactionId).not.toEqual(requests[0]?.message.transactionId);
    expect(session.realm).toBe(serverRealm);
  });

  it('is answered once: a second 401 means that the credential is wrong', async () => {
    const { request, requests } = await sessionWith((one, index) =>
      one.refuse(401, challenge(`nonce-${index}`)),
    );
    expect(await failureOf(request())).toEqual({ kind: 'stun-error', code: 401, reason: '' });
    expect(requests).toHaveLength(2);
    expect(await failureOf(request())).toMatchObject({ code: 401 });
    expect(requests).toHaveLength(3);
  });

  it('is an error for a client without a credential', async () => {
    const { request, requests, session } = await sessionWith((one) => one.serve(), { credential: null });
    expect(await failureOf(request())).toMatchObject({ kind: 'stun-error', code: 401 });
    expect(requests).toHaveLength(1);
    expect(session.realm).toBeNull();
  });

  it.each([
    { lacks: 'NONCE', attributes: [put(realm, serverRealm)] },
    { lacks: 'REALM', attributes: [put(nonce, 'a nonce')] },
    { lacks: 'UTF-8', attributes: [putRaw(realm.type, Buffer.of(0xff)), put(nonce, 'a nonce')] },
    { lacks: '763 bytes', attributes: [put(realm, serverRealm), putRaw(nonce.type, Buffer.alloc(764, 'n'))] },
    { lacks: 'PASSWORD-ALGORITHMS', attributes: challenge(nonceWith('algorithms')) },
    {
      lacks: 'password algorithm',
      attributes: [
        ...challenge(nonceWith('algorithms')),
        put(passwordAlgorithms, [{ number: 77, parameters: new Uint8Array() }]),
      ],
    },
  ])('says what is wrong with it when it cannot be answered: $lacks', async ({ lacks, attributes }) => {
    const { request, requests } = await sessionWith((one) => one.refuse(401, attributes));
    const failure = await failureOf(request());
    expect(failure).toMatchObject({ kind: 'malformed', detail: expect.stringContaining(lacks) });
    expect(requests).toHaveLength(1);
  });

  it('cannot be answered with a username that no attribute can carry', async () => {
    const credential = { ...turnCredential, username: 'u'.repeat(509) };
    const { request, requests } = await sessionWith((one) => one.serve(), { credential });
    expect(await failureOf(request())).toMatchObject({
      kind: 'internal',
      detail: expect.stringContaining('508 bytes'),
    });
    expect(requests).toHaveLength(1);
  });

  it('can be learnt from the answer to a request that was made without the session', async () => {
    const { request, requests, session } = await sessionWith((one) => one.serve());
    const anonymous = encodeMessage({ class: 'request', method: method.allocate });
    const { message } = await session.connection.exchange(anonymous, { timeoutMs: 1000, signal });
    expect(session.learn(message)).toBe(true);
    await request();
    expect(requests.map(({ isSigned }) => isSigned)).toEqual([false, true]);
    const empty = decodeMessage(encodeMessage({ class: 'error', method: method.allocate }));
    expect(session.learn(empty)).toBe(false);
  });
});

describe('the security features of RFC 8489', () => {
  const md5 = { number: passwordAlgorithmNumber.md5, parameters: new Uint8Array() };
  const sha256 = { number: passwordAlgorithmNumber.sha256, parameters: new Uint8Array() };
  const unknown = { number: 77, parameters: Buffer.from('abc') };

  it.each([
    { offered: [sha256, md5], chosen: sha256, hash: 'sha256' as const },
    { offered: [unknown, md5, sha256], chosen: md5, hash: 'md5' as const },
  ])('take the first password algorithm that is known: $hash', async ({ offered, chosen, hash }) => {
    const key = longTermKey('alice', serverRealm, 'open sesame', hash);
    const offer = put(passwordAlgorithms, offered);
    const { request, requests } = await sessionWith((one) => {
      if (one.isSigned) one.succeed(granted(one.message), { key, algorithm: 'sha256' });
      else one.refuse(401, [...challenge(nonceWith('algorithms')), offer]);
    });
    await request();
    const signed = requests[1]?.message;
    if (!signed) throw new Error('no second request');
    expect(verifyMessageIntegritySha256(signed, key)).toBe('valid');
    expect(firstAttribute(signed, sealType.messageIntegrity)).toBeUndefined();
    expect(read(signed, passwordAlgorithm)).toEqual({ ...chosen, parameters: Buffer.alloc(0) });
    // As the server sent it: it refuses another one, which someone on the path could have shortened.
    const sent = firstAttribute(signed, passwordAlgorithms.type)?.value;
    expect(sent).toEqual(Buffer.from(offer.encode(signed.transactionId)));
  });

  it('send USERHASH instead of USERNAME where the nonce asks for it', async () => {
    const { request, requests } = await sessionWith((one) => {
      if (one.isSigned) one.serve();
      else one.refuse(401, challenge(nonceWith('anonymity')));
    });
    await request();
    const signed = requests[1]?.message;
    if (!signed) throw new Error('no second request');
    expect(read(signed, username)).toBeUndefined();
    expect(read(signed, userhash)).toEqual(Buffer.from(userhashOf('alice', serverRealm)));
  });
});

describe('a stale nonce', () => {
  it('is replaced by the new one, in the realm that is known', async () => {
    const { request, requests } = await sessionWith((one, index) => {
      if (index === 1) one.refuse(438, [put(nonce, 'second-nonce')]);
      else one.serve();
    });
    await request();
    const nonces = requests.map(({ message }) => read(message, nonce));
    expect(nonces).toEqual([undefined, 'first-nonce', 'second-nonce']);
    await request();
    expect(requests).toHaveLength(4);
    expect(requests[3] && read(requests[3].message, nonce)).toBe('second-nonce');
  });

  it('is not replaced for ever', async () => {
    const { request, requests } = await sessionWith((one, index) => {
      if (one.isSigned) one.refuse(438, challenge(`nonce-${index}`));
      else one.serve();
    });
    expect(await failureOf(request())).toMatchObject({ kind: 'stun-error', code: 438 });
    expect(requests).toHaveLength(5);
  });

  it('without a new one is the end', async () => {
    const { request, requests } = await sessionWith((one) => {
      if (one.isSigned) one.refuse(438);
      else one.serve();
    });
    expect(await failureOf(request())).toMatchObject({
      kind: 'malformed',
      detail: expect.stringContaining('438'),
    });
    expect(requests).toHaveLength(2);
  });
});

describe('the signature of a response', () => {
  const wrongKey = longTermKey('mallory', serverRealm, 'guess');

  it.each([
    { what: 'an unsigned success', key: null, detail: 'without MESSAGE-INTEGRITY' },
    { what: 'a wrongly signed success', key: wrongKey, detail: 'wrong MESSAGE-INTEGRITY' },
  ])('makes $what a failure', async ({ key, detail }) => {
    for (const transport of ['udp', 'tcp'] as const) {
      const { request } = await sessionWith(
        (one) => {
          if (one.isSigned) one.succeed(granted(one.message), { key });
          else one.serve();
        },
        { transport },
      );
      // On a stream no other answer can follow (RFC 8489 §9.2.5): who waits for one outlasts the test.
      const failure = await failureOf(transport === 'tcp' ? request(120_000) : request());
      expect(failure).toEqual({ kind: 'integrity', detail: expect.stringContaining(detail) });
    }
  });

  it('lets a forged answer be followed by the true one', async () => {
    const { request } = await sessionWith((one) => {
      if (one.isSigned) one.succeed(granted(one.message), { key: wrongKey });
      one.serve();
    });
    expect((await request()).message.class).toBe('success');
  });

  it('is not asked of a 401, which comes before any check of it', async () => {
    const { request } = await sessionWith((one) => one.refuse(401, challenge(), { key: wrongKey }));
    expect(await failureOf(request())).toMatchObject({ kind: 'stun-error', code: 401 });
  });

  it.each([
    { signed: 'unsigned', key: null, failure: { kind: 'stun-error', code: 486 } },
    { signed: 'rightly signed', key: serverKey, failure: { kind: 'stun-error', code: 486 } },
    { signed: 'wrongly signed', key: wrongKey, failure: { kind: 'integrity' } },
  ])('of another refusal may be absent, but not wrong: $signed', async ({ key, failure }) => {
    const { request } = await sessionWith((one) => {
      if (one.isSigned) one.refuse(486, [], { key });
      else one.serve();
    });
    expect(await failureOf(request())).toMatchObject(failure);
  });
});

describe('a refusal', () => {
  it.each(Object.keys(turnErrors).map(Number))('tells its code: %i', async (code) => {
    const { request } = await sessionWith((one) => {
      if (one.isSigned) one.refuse(code);
      else one.serve();
    });
    // Without what goes with them, 401 and 438 and 300 are errors like any other.
    const failure = await failureOf(request());
    expect(failure).toMatchObject(code === 438 ? { kind: 'malformed' } : { kind: 'stun-error', code });
  });

  it('tells its reason, without the padding that coturn 4.6 counts in', async () => {
    const { request } = await sessionWith((one) => {
      const { method: requestMethod, transactionId } = one.message;
      const attributes = [put(errorCode, { code: 403, reason: 'Forbidden IP\0\0' })];
      one.send(encodeMessage({ class: 'error', method: requestMethod, transactionId, attributes }));
    });
    expect(await failureOf(request())).toEqual({ kind: 'stun-error', code: 403, reason: 'Forbidden IP' });
  });

  it.each(['udp', 'tcp'] as const)('without ERROR-CODE is a malformed answer, over %s', async (transport) => {
    const withoutCode = (one: ReceivedRequest): void => {
      const { method: requestMethod, transactionId } = one.message;
      one.send(encodeMessage({ class: 'error', method: requestMethod, transactionId }));
    };
    for (const script of [
      withoutCode,
      (one: ReceivedRequest) => (one.isSigned ? withoutCode(one) : one.serve()),
    ]) {
      const { request } = await sessionWith(script, { transport });
      expect(await failureOf(request())).toMatchObject({
        kind: 'malformed',
        detail: expect.stringContaining('ERROR-CODE'),
      });
    }
  });

  it('by 300 tells where to go, and which name the certificate has there', async () => {
    const elsewhere = { address: '192.0.2.80', port: 3479 };
    for (const domain of [null, 'other.example.org']) {
      const { request } = await sessionWith((one) => {
        const more = domain === null ? [] : [put(alternateDomain, domain)];
        one.refuse(300, [put(alternateServer, elsewhere), ...more]);
      });
      const error: unknown = await request().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(TryAlternateError);
      expect(error).toMatchObject({
        alternate: elsewhere,
        domain,
        failure: { kind: 'stun-error', code: 300 },
      });
    }
  });

  it('by 300 with a domain that is no name leaves the name of the certificate as it was', async () => {
    for (const domain of ['a\0.example', '', 'other example', '*.example.org']) {
      const { request } = await sessionWith((one) =>
        one.refuse(300, [
          put(alternateServer, { address: '192.0.2.80', port: 3479 }),
          put(alternateDomain, domain),
        ]),
      );
      const error: unknown = await request().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(TryAlternateError);
      expect(error).toMatchObject({ domain: null });
    }
  });

  it('by 300 without a place to go is an error like any other', async () => {
    const { request } = await sessionWith((one) => one.refuse(300));
    const error: unknown = await request().catch((reason: unknown) => reason);
    expect(error).not.toBeInstanceOf(TryAlternateError);
    expect(error).toMatchObject({ failure: { kind: 'stun-error', code: 300 } });
  });
});

describe('the deadline of a request', () => {
  it('holds for the challenge and what follows together', async () => {
    const { request } = await sessionWith((one) => {
      if (!one.isSigned) setTimeout(() => one.serve(), 400);
    });
    const failure = await failureOf(request(1200));
    // With a deadline each it would be 1200 once more.
    expect(failure).toMatchObject({ kind: 'timeout', afterMs: expect.toSatisfy((ms: number) => ms <= 801) });
  });
});

describe('abandon()', () => {
  it('asks for the end of what may have been allocated, if it can sign that', async () => {
    const { session, request, requests, untilRequests } = await sessionWith((one) => one.serve());
    session.abandon();
    await request();
    session.abandon();
    await untilRequests(3);
    const last = requests[2]?.message;
    if (!last) throw new Error('no third request');
    expect(last.method).toBe(method.refresh);
    expect(read(last, lifetime)).toBe(0);
    expect(verifyMessageIntegrity(last, serverKey)).toBe('valid');
  });
});
