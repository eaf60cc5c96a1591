import { describe, expect, it } from 'vitest';
import { catalog, finding, type Finding, type FindingCode } from '../../../src/model/finding.ts';
import { links, type Link } from '../../../src/rules/doctor/link.ts';

function example<C extends FindingCode>(code: C, overrides: object = {}): Finding {
  return finding(code, { ...catalog[code].example, ...overrides });
}

function leads(cause: Finding, effect: Finding): boolean {
  const fits = ({ causes, effects, when }: Link): boolean =>
    causes.includes(cause.code) && effects.includes(effect.code) && (when?.(cause, effect) ?? true);
  return links.some(fits);
}

describe('the links', () => {
  it('lead nowhere in a circle', () => {
    const below = (code: FindingCode, path: readonly FindingCode[]): void => {
      expect(path, [...path, code].join(' → ')).not.toContain(code);
      const effects = links.filter(({ causes }) => causes.includes(code)).flatMap((link) => link.effects);
      // A link that names one code on both sides says that any of them can come before the other.
      for (const effect of new Set(effects.filter((each) => each !== code))) below(effect, [...path, code]);
    };
    for (const code of new Set(links.flatMap(({ causes }) => causes))) below(code, []);
  });

  it('name each effect of a cause once', () => {
    for (const { causes, effects } of links) {
      expect(new Set(causes).size).toBe(causes.length);
      expect(new Set(effects).size).toBe(effects.length);
    }
  });
});

it('leads from the release that gives answers a TTL of 1 to what that does, over UDP alone', () => {
  const release = example('COTURN_TTL_ONE');
  for (const code of ['ANSWER_TTL_ONE', 'LISTENER_SILENT', 'REPLY_TTL_ONE'] as const)
    expect(leads(release, example(code, { transport: 'udp' }))).toBe(true);
  expect(leads(release, example('LISTENER_SILENT', { transport: 'tcp' }))).toBe(false);
});

describe('what is about ports', () => {
  it.each<[FindingCode, object, FindingCode, object, boolean]>([
    [
      'FIREWALL_BLOCKS_LISTENER',
      { protocol: 'tcp', ports: ['5349'] },
      'PORT_BLOCKED',
      { transport: 'tls', port: 5349 },
      true,
    ],
    [
      'FIREWALL_BLOCKS_LISTENER',
      { protocol: 'tcp', ports: ['3478', '5000-6000'] },
      'PORT_BLOCKED',
      { transport: 'tls', port: 5349 },
      true,
    ],
    [
      'FIREWALL_BLOCKS_LISTENER',
      { protocol: 'udp', ports: ['3478'] },
      'PORT_BLOCKED',
      { transport: 'tcp', port: 3478 },
      false,
    ],
    [
      'FIREWALL_BLOCKS_LISTENER',
      { protocol: 'udp', ports: ['3478'] },
      'UDP_BLOCKED',
      { transport: 'udp', port: 3479 },
      false,
    ],
    [
      'LISTENER_MISSING',
      { protocol: 'tcp', port: 5349 },
      'TCP_REFUSED',
      { transport: 'tls', port: 5349 },
      true,
    ],
    [
      'LISTENER_MISSING',
      { protocol: 'tcp', port: 5349 },
      'TCP_REFUSED',
      { transport: 'tcp', port: 3478 },
      false,
    ],
    [
      'LISTENER_OTHER_PROGRAM',
      { protocol: 'tcp', port: 443 },
      'NOT_A_TURN_SERVER',
      { transport: 'tls', port: 443 },
      true,
    ],
    ['PORT_NEEDS_PRIVILEGE', { port: 443 }, 'TCP_REFUSED', { transport: 'tls', port: 443 }, true],
    ['PORT_NEEDS_PRIVILEGE', { port: 443 }, 'TCP_REFUSED', { transport: 'tls', port: 5349 }, false],
  ])('%s %j → %s %j: %s', (cause, ofCause, effect, ofEffect, expected) => {
    expect(leads(example(cause, ofCause), example(effect, ofEffect))).toBe(expected);
  });
});

describe('a certificate that cannot be read', () => {
  it.each<[FindingCode, object, boolean]>([
    ['TCP_REFUSED', { transport: 'tls' }, true],
    ['TCP_REFUSED', { transport: 'tcp' }, false],
    ['LISTENER_MISSING', { title: 'TURN over TLS' }, true],
    ['LISTENER_MISSING', { title: 'TURN over TCP' }, false],
    ['LOG_CERTIFICATE_MISSING', {}, true],
    // Where nothing of a server answers, it is not TLS that is at fault.
    ['NOTHING_LISTENS', {}, false],
  ])('leads to %s %j: %s', (effect, overrides, expected) => {
    expect(leads(example('TLS_FILE_UNREADABLE'), example(effect, overrides))).toBe(expected);
  });
});

it('takes a broken line for the cause of refused users only where it is that of the secret', () => {
  const refused = example('CREDENTIAL_SECRET_MISMATCH');
  expect(leads(example('CONFIG_INLINE_COMMENT', { option: 'static-auth-secret' }), refused)).toBe(true);
  expect(leads(example('CONFIG_INLINE_COMMENT', { option: 'realm' }), refused)).toBe(false);
});

it('lets a range of denied peers stop a server only where that version stops', () => {
  const missing = example('LISTENER_MISSING');
  expect(leads(example('DENIED_RANGE_CIDR', { stops: true }), missing)).toBe(true);
  expect(leads(example('DENIED_RANGE_CIDR', { stops: false }), missing)).toBe(false);
});

describe('a clock that is ahead', () => {
  const refused = (derived: boolean): Finding => example('CREDENTIAL_SECRET_MISMATCH', { derived });
  const ahead = (offsetMs: number): Finding => example('CLOCK_SKEW', { offsetMs });

  it('refuses credentials that it outlives, and those of this program are good for a day', () => {
    expect(leads(ahead(3_600_000), refused(false))).toBe(true);
    expect(leads(ahead(3_600_000), refused(true))).toBe(false);
    expect(leads(ahead(100_000_000), refused(true))).toBe(true);
  });

  it('refuses none when it is behind', () => {
    expect(leads(ahead(-100_000_000), refused(false))).toBe(false);
  });
});
