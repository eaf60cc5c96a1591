import type { LintFacts } from '../../src/coturn/lint/facts.ts';
import type { LintFinding } from '../../src/coturn/lint/source.ts';
import { lint } from '../../src/coturn/lint/lint.ts';
import { defaultVersion } from '../../src/coturn/versions.ts';
import type { ConfigFinding, ConfigFindingCode } from '../../src/model/config-finding.ts';
import type { HostFacts, NodeFacts, PathFacts, PemCertificate } from '../../src/model/host-facts.ts';

/** A file of which the lint has nothing to say, for 4.6.1 and without a look at a machine. */
export const cleanLines: readonly string[] = [
  '# a relay',
  'listening-ip=203.0.113.10',
  'no-tls',
  'no-dtls',
  'realm=turn.example.org',
  'use-auth-secret',
  'static-auth-secret=8a7f3c5e9b1d2046e8f7a9c3b5d1e0f2',
  'no-multicast-peers',
  'denied-peer-ip=10.0.0.0-10.255.255.255',
  'denied-peer-ip=100.64.0.0-100.127.255.255',
  'denied-peer-ip=169.254.0.0-169.254.255.255',
  'denied-peer-ip=172.16.0.0-172.31.255.255',
  'denied-peer-ip=192.168.0.0-192.168.255.255',
  'user-quota=12',
  'total-quota=1200',
  'no-tcp-relay',
  'no-cli',
  'no-software-attribute',
];

/** The clean file without some of its lines, and with others behind them. */
export function textWith(lines: readonly string[], without: RegExp = /^$/): string {
  return `${[...cleanLines.filter((line) => !without.test(line)), ...lines].join('\n')}\n`;
}

export function lintFacts(text: string, overrides: Partial<LintFacts> = {}): LintFacts {
  return {
    file: 'turnserver.conf',
    text,
    coturn: { version: defaultVersion, release: defaultVersion, from: 'assumed', packaged: null },
    users: null,
    host: null,
    now: '2026-11-21T00:00:00.000Z',
    ...overrides,
  };
}

export function found(text: string, overrides: Partial<LintFacts> = {}): LintFinding[] {
  return lint(lintFacts(text, overrides));
}

export function codes(text: string, overrides: Partial<LintFacts> = {}): string[] {
  return found(text, overrides).map(({ finding }) => finding.code);
}

export function findingOf(
  text: string,
  code: ConfigFindingCode,
  overrides: Partial<LintFacts> = {},
): ConfigFinding {
  const match = found(text, overrides).find(({ finding }) => finding.code === code);
  if (match === undefined) throw new Error(`no ${code} among ${codes(text, overrides).join(', ')}`);
  return match.finding;
}

/** The facts of a version; installed here unless told otherwise. */
export function versionFacts(
  version: LintFacts['coturn']['version'],
  overrides: Partial<LintFacts['coturn']> = {},
): Pick<LintFacts, 'coturn'> {
  return { coturn: { version, release: version, from: 'assumed', packaged: null, ...overrides } };
}

/** The user of the service: 102, in the group 105. */
export const service: NonNullable<HostFacts['service']> = {
  unit: 'coturn.service',
  user: 'turnserver',
  uid: 102,
  gids: [105],
  lowestPort: 1024,
};

export function node(path: string, mode: number, uid = 0, gid = 0): NodeFacts {
  return { path, mode, uid, gid };
}

export function fileFacts(mode: number, overrides: Partial<PathFacts> = {}, gid = 0): PathFacts {
  return {
    error: null,
    nodes: [node('/', 0o755), node('/etc', 0o755), node('/etc/file', mode, 0, gid)],
    pem: null,
    ...overrides,
  };
}

export const leaf: PemCertificate = {
  subject: 'CN=turn.example.org',
  notAfter: '2027-02-01T00:00:00.000Z',
  selfIssued: false,
  namesIssuerUrl: true,
  keyFingerprint: 'aa',
};

export function hostFactsWith(overrides: Partial<HostFacts> = {}): HostFacts {
  return {
    addresses: [{ interface: 'eth0', address: '203.0.113.10', prefixLength: 24 }],
    architecture: 'x64',
    service,
    own: fileFacts(0o640, {}, 105),
    files: {},
    ...overrides,
  };
}
