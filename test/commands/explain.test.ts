import { describe, expect, it } from 'vitest';
import { catalog, finding, findingCodes, wordsOf } from '../../src/model/finding.ts';
import { rtcOps } from '../support/cli.ts';

describe('explain', () => {
  it('speaks JSON, of one code and of all', async () => {
    const one = await rtcOps(['explain', 'dns-not-found', '--format', 'json']);
    expect(JSON.parse(one.stdout)).toMatchObject({
      schemaVersion: 1,
      code: 'DNS_NOT_FOUND',
      severity: 'error',
      example: { title: 'The name turn.example.com does not resolve' },
    });
    const all = await rtcOps(['explain', '--format', 'json']);
    const { findings } = JSON.parse(all.stdout) as { findings: { code: string }[] };
    expect(findings.map(({ code }) => code)).toEqual(findingCodes);
  });

  it('shows both ways to find what stands in a file and is seen on a server', async () => {
    const { stdout } = await rtcOps(['explain', 'TCP_RELAY_ENABLED']);
    expect(stdout).toContain('For example, in a file');
    expect(stdout).toContain('Proof: no-tcp-relay is not in /etc/turnserver.conf.');
    expect(stdout).toContain('For example, on a server that runs');
    expect(stdout).toContain('Proof: turn.example.com (203.0.113.10) granted an Allocate for TCP');
    const json = await rtcOps(['explain', 'NO_QUOTAS', '--format', 'json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      example: { title: 'One user may take the whole relay' },
      otherExample: { title: 'No quota showed in 20 allocations of one user' },
    });
  });

  it('names commands and options of its own that there are', async () => {
    const fixes = findingCodes.flatMap((code) => [
      ...wordsOf(finding(code, catalog[code].example as never)).fix,
    ]);
    const used = new Map<string, Set<string>>();
    for (const fix of fixes) {
      const words = /(?:^|\s)rtc-ops ((?:[a-z]+ ?)+)(.*)$/.exec(fix);
      if (words === null) continue;
      const [, names = '', rest = ''] = words;
      // `credentials check` has a command below it, `probe turn.example.com` has not.
      const name = names
        .trim()
        .split(' ')
        .slice(0, /^(?:credentials|firewall|config) /.test(names) ? 2 : 1)
        .join(' ');
      const options = used.get(name) ?? new Set<string>();
      for (const [option] of rest.matchAll(/--[a-z-]+/g)) options.add(option);
      used.set(name, options);
    }
    expect([...used.keys()].toSorted()).toEqual(
      expect.arrayContaining([
        'credentials check',
        'credentials issue',
        'firewall show',
        'lint',
        'peer',
        'probe',
      ]),
    );
    await Promise.all(
      [...used].map(async ([name, options]) => {
        const { stdout, exitCode } = await rtcOps([...name.split(' '), '--help']);
        expect([name, exitCode]).toEqual([name, 0]);
        expect(stdout).toContain(`rtc-ops ${name}`);
        for (const option of options) expect(stdout).toContain(option);
      }),
    );
  });

  it.each([
    ['TLS_CERT_EXPIRD', 'Did you mean TLS_CERT_EXPIRED, '],
    ['relay ports blocked by', 'Did you mean RELAY_PORTS_BLOCKED, '],
    ['zzz', 'lists all of them'],
  ])('of %s, which is none, names the nearest first', async (text, told) => {
    const { stdout, stderr, exitCode } = await rtcOps(['explain', text]);
    expect([stdout, exitCode]).toEqual(['', 2]);
    expect(stderr).toContain(told);
  });
});
