import { describe, expect, it } from 'vitest';
import type { HostFacts } from '../../src/ansible/host-facts.ts';
import { planOf, secretGoes, type WantedFile, type WantedState } from '../../src/ansible/plan.ts';

const path = '/etc/turnserver.conf';
const rights = { owner: 'root', group: 'turnserver', mode: '0640' };

function wanting(...files: readonly Partial<WantedFile>[]): WantedState {
  return {
    files: files.map((file) => ({ path, ...rights, text: 'realm=a\n', isConstant: false, ...file })),
    certificateNames: [],
    packages: [],
    kernel: [],
  };
}

const fresh: HostFacts = {
  system: { id: 'debian', like: [], version: '12', name: 'Debian GNU/Linux 12 (bookworm)' },
  hostname: 'h',
  coturn: { installed: null, candidate: '4.6.1-1' },
  manager: null,
  addresses: ['203.0.113.10'],
  sightings: [],
  clock: { unixMs: 0, synchronized: true },
  freeBytes: 2 ** 34,
  service: { load: 'not-found', active: 'inactive', enabled: null, pid: null, restarts: 0 },
  listeners: [],
  firewall: { backend: 'none', applied: null },
  kernel: {},
  logrotate: false,
  secrets: null,
  certificates: [],
  files: { [path]: null },
  state: null,
  deployment: null,
};

const deployed: HostFacts = {
  ...fresh,
  coturn: { installed: '4.6.1-1', candidate: '4.6.1-1' },
  manager: 'rtc-ops',
  service: { load: 'loaded', active: 'active', enabled: 'enabled', pid: 1, restarts: 0 },
  files: { [path]: { ...rights, text: 'realm=a\n' } },
  state: { current: 1, generations: [], rotation: null },
  deployment: null,
};

const titles = (facts: HostFacts, wanted: WantedState): string[] =>
  planOf(facts, wanted).steps.map(({ title }) => title);

describe('a plan', () => {
  it('is everything on a fresh host, and nothing on one that is as it is to be', () => {
    expect(titles(fresh, wanting({}))).toEqual([
      'install coturn 4.6.1-1 of Debian GNU/Linux 12 (bookworm)',
      `write ${path}`,
      'start coturn',
      'start coturn at each boot',
    ]);
    expect(planOf(deployed, wanting({}))).toEqual({ steps: [], notes: [] });
  });

  it('shows the lines that change, and rights that do', () => {
    const before = { ...rights, mode: '0644', text: 'a\nb\nc\nd\nold\n' };
    const [step, restart] = planOf(
      { ...deployed, files: { [path]: before } },
      wanting({ text: 'a\nb\nc\nd\nnew\n' }),
    ).steps;
    expect(step).toEqual({
      kind: 'file',
      title: `change ${path}, root:turnserver 0644 → root:turnserver 0640`,
      diff: '@@ -3 +3 @@\n c\n d\n-old\n+new',
    });
    expect(restart?.title).toMatch(/^restart coturn/);
  });

  it('removes what a host is not to have, and shows no text of a constant file', () => {
    const dropIn = '/etc/systemd/system/coturn.service.d/rtc-ops-low-ports.conf';
    const files = { ...deployed.files, [dropIn]: { ...rights, text: 'x\n' } };
    expect(titles({ ...deployed, files }, wanting({}))).toEqual([
      `remove ${dropIn}`,
      'restart coturn: calls that it relays end',
    ]);
    expect(planOf(fresh, wanting({ isConstant: true })).steps[1]?.diff).toBeNull();
  });

  it('restarts nothing for what is no part of the service', () => {
    const hook = { path: '/usr/local/sbin/rtc-ops-acme-port', isConstant: true };
    expect(titles(deployed, wanting({}, hook))).toEqual([`write ${hook.path}`]);
  });

  it('gets a certificate where a name is lacking in the one that is there', () => {
    const certificates = [{ lineage: 'rtc-ops', serial: '1', notAfter: null, names: ['a.example'] }];
    const names = (...certificateNames: string[]): WantedState => ({ ...wanting({}), certificateNames });
    expect(titles({ ...deployed, certificates }, names('a.example'))).toEqual([]);
    expect(titles({ ...deployed, certificates }, names('a.example', 'b.example'))).toEqual([
      'get a certificate for a.example, b.example by certbot',
    ]);
    expect(
      titles(
        { ...deployed, certificates: [{ ...certificates[0], lineage: 'web' } as never] },
        names('a.example'),
      ),
    ).toHaveLength(1);
  });

  it('installs what is lacking and raises what is too low, and restarts nothing for that', () => {
    const kernel = [{ name: 'net.core.rmem_max', from: 212_992, to: 2_097_152 }];
    expect(titles(deployed, { ...wanting({}), packages: ['logrotate'], kernel })).toEqual([
      'install logrotate of Debian GNU/Linux 12 (bookworm)',
      'raise net.core.rmem_max from 212992 to 2097152',
    ]);
  });

  it('opens ports that somebody has closed', () => {
    const firewall = { backend: 'ufw', applied: false } as const;
    expect(titles({ ...deployed, firewall }, wanting({}))).toEqual(['open the ports in ufw']);
    expect(titles({ ...deployed, firewall: { ...firewall, applied: true } }, wanting({}))).toEqual([]);
  });

  describe('of secrets', () => {
    const dropIn = '/etc/systemd/system/coturn.service.d/rtc-ops-secrets.conf';
    const live = { path: dropIn, owner: 'root', group: 'root', mode: '0644', text: 'x\n', isConstant: true };
    const secrets = { applied: true, restart: false };
    const withSecrets = (...values: string[]): string =>
      ['realm=a', ...values.map((value) => `static-auth-secret=[secret ${value}]`), 'fingerprint\n'].join(
        '\n',
      );
    const running: HostFacts = {
      ...deployed,
      secrets,
      files: { [path]: { ...rights, text: withSecrets('a') }, [dropIn]: live },
    };

    it('that are added restarts nothing where coturn takes them while it runs', () => {
      const wanted = wanting({ text: withSecrets('b', 'a') }, live);
      expect(planOf(running, wanted)).toMatchObject({ steps: [{ kind: 'secret' }], notes: [] });
      const more = wanting({ text: withSecrets('b', 'a').replace('fingerprint', '') }, live);
      for (const [facts, other] of [
        [running, more],
        [{ ...running, secrets: null }, wanted],
        [{ ...running, secrets: { ...secrets, restart: true } }, wanted],
        [{ ...running, files: { ...running.files, [dropIn]: { ...live, text: 'y\n' } } }, wanted],
      ] as const) {
        expect(titles(facts, other).join()).toContain('restart coturn');
      }
    });

    it('says that one goes', () => {
      expect(planOf(running, wanting({ text: withSecrets('b') }, live)).notes).toEqual([secretGoes]);
    });

    it('shows what runs and is not what its files say', () => {
      const same = wanting({ text: withSecrets('a') }, live);
      expect(titles(running, same)).toEqual([]);
      expect(titles({ ...running, secrets: { applied: false, restart: false } }, same)).toEqual([
        'have coturn take the secrets of its configuration',
      ]);
      expect(titles({ ...running, secrets: { applied: null, restart: true } }, same)).toEqual([
        'restart coturn: calls that it relays end',
      ]);
    });
  });

  it.each([
    ['a configuration made by hand', { manager: 'hand' }, 'written by hand'],
    ['another tool', { manager: 'Puppet' }, 'written by Puppet'],
    ['a masked service', { service: { ...deployed.service, enabled: 'masked' } }, 'masked'],
    ['a clock that nobody sets', { clock: { unixMs: 0, synchronized: false } }, 'clock'],
    ['a full disk', { freeBytes: 50 * 2 ** 20 }, 'only 50 MiB left'],
  ])('warns of %s', (_, facts, text) => {
    const { notes } = planOf({ ...deployed, ...facts }, wanting({}));
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain(text);
  });
});
