import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { TlsFacts } from '../../src/model/observations.ts';
import { chainOf, nameErrorOf } from '../../src/net/certificate.ts';
import { connectTcp, handshakeTls } from '../../src/net/stream.ts';
import { certificate, type Certificate } from '../support/certificates.ts';

const { signal } = new AbortController();
const host = 'turn.example.org';

let root: Certificate;
let intermediate: Certificate;
let leaf: Certificate;

beforeAll(async () => {
  root = await certificate({ commonName: 'root', authority: true });
  intermediate = await certificate({ commonName: 'intermediate', authority: true, issuer: root });
  leaf = await certificate({ commonName: host, names: [host, '127.0.0.1', '::1'], issuer: intermediate });
});

/** What a handshake with a TLS server shows. */
async function factsOf(
  options: TlsOptions,
  { servername = host, ca }: { servername?: string; ca?: string } = {},
): Promise<TlsFacts & { sni: string | undefined }> {
  const server = createServer(options).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const accepted = once(server, 'secureConnection');
  const remote = { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const socket = await connectTcp({ remote, timeoutMs: 1000, signal });
  const secured = await handshakeTls(socket, { servername, ca, timeoutMs: 1000, signal });
  const [peer] = await accepted;
  secured.socket.destroy();
  return { ...secured.facts, sni: peer.servername || undefined };
}

const presenting = (own: Certificate, ...others: Certificate[]): TlsOptions => ({
  key: own.key,
  cert: [own, ...others].map(({ cert }) => cert).join('\n'),
});

const subjects = ({ chain }: TlsFacts): string[] => chain.map(({ subject }) => subject);

// By `openssl req -x509 -addext 'authorityInfoAccess=OCSP;URI:http://ocsp.example.com,caIssuers;URI:…'`; its key is gone.
const withIssuerUrl = `-----BEGIN CERTIFICATE-----
MIIB8DCCAZagAwIBAgIUa01sHua5UYKtToeprNbJlWV9PIowCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQdHVybi5leGFtcGxlLmNvbTAeFw0yNjExMjEwOTQxMDNaFw0z
NjExMTgwOTQxMDNaMBsxGTAXBgNVBAMMEHR1cm4uZXhhbXBsZS5jb20wWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAARgrUo+17lN9VK6Yazz1rEBhC3laU4c0wYeMB6r
BDPxGe3DdFVjdssBd9A2mQmZOFiiqJ2NdMFSgJD9voT+71WNo4G3MIG0MB0GA1Ud
DgQWBBSscms3xY13GWAFg9a1RbHGtE3UFzAfBgNVHSMEGDAWgBSscms3xY13GWAF
g9a1RbHGtE3UFzAPBgNVHRMBAf8EBTADAQH/MGEGCCsGAQUFBwEBBFUwUzAjBggr
BgEFBQcwAYYXaHR0cDovL29jc3AuZXhhbXBsZS5jb20wLAYIKwYBBQUHMAKGIGh0
dHA6Ly9jYS5leGFtcGxlLmNvbS9pc3N1ZXIuY2VyMAoGCCqGSM49BAMCA0gAMEUC
IFxxD5Ib9QXzXH3As8g+fHJWRzL4G+O5MTl9RGCgps51AiEAiJv27gEGU10/QoyA
PUrzEYbLT8O2G8mSMQ7rqC9AlxM=
-----END CERTIFICATE-----`;

describe('the facts of a certificate', () => {
  it('name where its issuer is to be had', () => {
    expect(chainOf(new X509Certificate(withIssuerUrl))).toMatchObject([
      { issuerUrl: 'http://ca.example.com/issuer.cer' },
    ]);
  });

  it('are those of one that is right', async () => {
    const facts = await factsOf(presenting(leaf, intermediate), { ca: root.cert });
    expect(facts).toMatchObject({
      chainError: null,
      nameError: null,
      servername: host,
      sni: host,
      alpn: null,
    });
    expect(facts.chain[0]).toEqual({
      subject: `CN=${host}`,
      issuer: 'CN=intermediate',
      names: [`DNS:${host}`, 'IP Address:127.0.0.1', 'IP Address:0:0:0:0:0:0:0:1'],
      notBefore: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      notAfter: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      serial: expect.stringMatching(/^[0-9A-F]+$/),
      selfIssued: false,
      issuerUrl: null,
    });
    const daysLeft = (Date.parse(facts.chain[0]?.notAfter ?? '') - Date.now()) / 86_400_000;
    expect(daysLeft).toBeGreaterThan(29.9);
    expect(daysLeft).toBeLessThanOrEqual(30);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('name the protocol and the cipher of %s', async (version) => {
    const facts = await factsOf({ ...presenting(leaf), minVersion: version, maxVersion: version });
    expect(facts.protocol).toBe(version);
    expect(facts.cipher).toMatch(version === 'TLSv1.3' ? /^TLS_/ : /^ECDHE-/);
    expect(subjects(facts)).toEqual([`CN=${host}`]);
  });

  it('name the ALPN protocol that the server chose', async () => {
    expect((await factsOf({ ...presenting(leaf), ALPNProtocols: ['stun.turn'] })).alpn).toBe('stun.turn');
  });

  it.each<{ title: string; sent: () => Certificate[]; subjects: string[]; chainError: string | null }>([
    {
      title: 'without the intermediate',
      sent: () => [leaf],
      subjects: [`CN=${host}`],
      chainError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    },
    {
      title: 'without the root, which clients have',
      sent: () => [leaf, intermediate],
      subjects: [`CN=${host}`, 'CN=intermediate'],
      chainError: null,
    },
    {
      title: 'in the wrong order',
      sent: () => [leaf, root, intermediate],
      subjects: [`CN=${host}`, 'CN=root', 'CN=intermediate'],
      chainError: null,
    },
    {
      title: 'with a stranger in it',
      sent: () => [leaf, leaf],
      subjects: [`CN=${host}`, `CN=${host}`],
      chainError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    },
  ])('show the chain as it was sent: $title', async ({ sent, subjects: expected, chainError }) => {
    const [own, ...others] = sent();
    const facts = await factsOf(presenting(own ?? leaf, ...others), { ca: root.cert });
    expect(subjects(facts)).toEqual(expected);
    expect(facts.chainError).toBe(chainError);
  });

  it('show ten certificates of a chain at most', async () => {
    expect((await factsOf(presenting(leaf, ...Array(15).fill(root)))).chain).toHaveLength(10);
  });

  it.each<{ title: string; make: () => Promise<Certificate>; expected: Partial<TlsFacts> }>([
    {
      title: 'of an unknown authority',
      make: async () => certificate({ commonName: host, names: [host], issuer: await otherRoot() }),
      expected: { chainError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', nameError: null },
    },
    {
      title: 'that is self-signed',
      make: () => certificate({ commonName: host, names: [host] }),
      expected: { chainError: 'DEPTH_ZERO_SELF_SIGNED_CERT', nameError: null },
    },
    {
      title: 'that has expired',
      make: () =>
        certificate({ commonName: host, names: [host], issuer: root, validFrom: -9, validUntil: -1 }),
      expected: { chainError: 'CERT_HAS_EXPIRED', nameError: null },
    },
    {
      title: 'that is not valid yet',
      make: () => certificate({ commonName: host, names: [host], issuer: root, validFrom: 1, validUntil: 9 }),
      expected: { chainError: 'CERT_NOT_YET_VALID', nameError: null },
    },
    {
      title: 'of another name',
      make: () => certificate({ commonName: host, names: ['a.example', '192.0.2.1'], issuer: root }),
      expected: {
        chainError: null,
        nameError: `it names DNS:a.example, IP Address:192.0.2.1, not ${host}`,
      },
    },
    {
      title: 'with nothing but a common name',
      make: () => certificate({ commonName: host, issuer: root }),
      expected: { chainError: null, nameError: `it names nothing, not ${host}` },
    },
    {
      title: 'that is expired and of another name',
      make: () =>
        certificate({ commonName: 'x', names: ['a.example'], issuer: root, validFrom: -9, validUntil: -1 }),
      expected: { chainError: 'CERT_HAS_EXPIRED', nameError: `it names DNS:a.example, not ${host}` },
    },
  ])('tell what is wrong with one $title', async ({ make, expected }) => {
    expect(await factsOf(presenting(await make()), { ca: root.cert })).toMatchObject(expected);
  });

  it.each([
    { servername: 'x.example.org', names: ['*.example.org'], matches: true },
    { servername: 'x.y.example.org', names: ['*.example.org'], matches: false },
    { servername: 'turn.example.org', names: ['t*.example.org'], matches: false },
    { servername: 'TURN.Example.org', names: ['turn.example.org'], matches: true },
    { servername: '127.0.0.1', names: ['127.0.0.1'], matches: true },
    { servername: '127.0.0.1', names: ['turn.example.org'], matches: false },
    { servername: '0:0::1', names: ['::1'], matches: true },
  ])('compare $servername with $names', async ({ servername, names, matches }) => {
    const own = await certificate({ commonName: 'x', names, issuer: root });
    const { nameError } = await factsOf(presenting(own), { ca: root.cert, servername });
    expect(nameError === null).toBe(matches);
  });

  it('come without SNI for an IP literal, and without the last dot of a name', async () => {
    const literal = await factsOf(presenting(leaf, intermediate), { ca: root.cert, servername: '127.0.0.1' });
    expect(literal).toMatchObject({ sni: undefined, servername: '127.0.0.1', nameError: null });
    const dotted = await factsOf(presenting(leaf, intermediate), { ca: root.cert, servername: `${host}.` });
    expect(dotted).toMatchObject({ sni: host, servername: host, nameError: null });
  });

  it.each(['a\0.example', '', '*', 'a example'])('are never for what is no name: %j', (servername) => {
    expect(nameErrorOf(new X509Certificate(leaf.cert), servername)).toMatch(/no host name/);
  });

  it('are judged by the anchors of the one who asks, each time', async () => {
    const own = await certificate({ commonName: host, names: [host], issuer: root });
    const other = await otherRoot();
    const errors: (string | null)[] = [];
    for (const ca of [root.cert, other.cert, `${other.cert}\n${root.cert}`, undefined, root.cert]) {
      errors.push((await factsOf(presenting(own), ca === undefined ? {} : { ca })).chainError);
    }
    const untrusted = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
    expect(errors).toEqual([null, untrusted, null, untrusted, null]);
  });

  it('keep a time that is none as it is', async () => {
    const own = await certificate({ commonName: host, names: [host] });
    const der = Buffer.from(own.cert.replaceAll(/-----.*-----|\s/g, ''), 'base64');
    // The first UTCTime of a certificate is the beginning of its validity: month 13.
    der.write('13', der.indexOf(Buffer.of(0x17, 0x0d)) + 4);
    const cert = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
    const [first] = (await factsOf(presenting({ ...own, cert }))).chain;
    expect(first?.notBefore).toBe('Bad time value');
  });
});

function otherRoot(): Promise<Certificate> {
  return certificate({ commonName: 'other root', authority: true });
}
