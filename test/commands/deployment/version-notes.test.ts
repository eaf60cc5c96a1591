import { describe, expect, it } from 'vitest';
import type { HostFacts } from '../../../src/ansible/host-facts.ts';
import {
  releaseOf,
  renderedFor,
  returnNotes,
  returnObstacle,
  versionNotes,
} from '../../../src/commands/deployment/version-notes.ts';
import { knownVersions } from '../../../src/coturn/versions.ts';

const configFor = (version: string, ...lines: string[]): string =>
  [`# turnserver.conf for coturn ${version}, written by rtc-ops from rtc-ops.yaml:`, ...lines, ''].join('\n');

function hostWith(installed: string, text: string): Pick<HostFacts, 'coturn' | 'files'> {
  const file = { owner: 'root', group: 'turnserver', mode: '0640', text };
  return { coturn: { installed, candidate: installed }, files: { '/etc/turnserver.conf': file } };
}

const older = configFor('4.6.1', 'realm=x', 'no-tlsv1', 'no-dtls', 'no-cli');
const newer = configFor('4.18.0', 'realm=x');

describe('what another coturn changes', () => {
  it('is said with the options that are gone, and those that do nothing any more', () => {
    expect(versionNotes(hostWith('4.18.0-1', older), newer, '4.18.0')).toEqual([
      'coturn is 4.18.0, and its configuration was made for 4.6.1: it has no no-tlsv1, no-dtls any more; no-cli does nothing in it',
    ]);
  });

  it('is said with the options that an older one needs', () => {
    expect(versionNotes(hostWith('4.6.1-1', newer), older, '4.6.1')).toEqual([
      'coturn is 4.6.1, and its configuration was made for 4.18.0: it has no-tlsv1, no-dtls, no-cli',
    ]);
  });

  it('is nothing where it is the same one, or where the configuration is of somebody else', () => {
    expect(versionNotes(hostWith('4.6.1-1+deb12u1', older), older, '4.6.1')).toEqual([]);
    expect(versionNotes(hostWith('4.6.1-1', 'no-dtls\n'), older, '4.6.1')).toEqual([]);
  });

  it('is not known of one that is newer than the table of options', () => {
    const newest = knownVersions.at(-1) ?? '4.6.1';
    const text = configFor(newest, 'realm=x');
    expect(versionNotes(hostWith('4.99.0-1', text), text, newest)).toEqual([
      `coturn 4.99.0 is newer than the newest that is known here, ${newest}; its configuration is made for that one`,
    ]);
  });
});

describe('going back to what was made for another coturn', () => {
  it('is refused where the present one leaves open what that one closes', () => {
    const { coturn } = hostWith('4.6.1-2', older);
    expect(returnObstacle({ coturn }, '4.18.0')).toContain('made for coturn 4.18.0, and 4.6.1 is installed');
    expect(returnObstacle({ coturn }, '4.6.1')).toBeNull();
    expect(returnObstacle({ coturn }, null)).toBeNull();
  });

  it('is told where the present one is newer', () => {
    const { coturn } = hostWith('4.18.0-1', newer);
    expect(returnObstacle({ coturn }, '4.6.1')).toBeNull();
    expect(returnNotes({ coturn }, '4.6.1')).toMatchObject([
      expect.stringContaining('made for coturn 4.6.1, and 4.18.0 is installed'),
    ]);
    expect(returnNotes({ coturn }, '4.18.0')).toEqual([]);
    expect(returnNotes({ coturn }, null)).toEqual([]);
  });
});

describe('the versions', () => {
  it('are those of upstream', () => {
    expect(releaseOf('1:4.6.1-1')).toBe('4.6.1');
    expect(releaseOf('4.5.2-3.1ubuntu1')).toBe('4.5.2');
    expect(releaseOf('unknown')).toBeNull();
    expect(renderedFor(older)).toBe('4.6.1');
    expect(renderedFor(`# mine\n${older}`)).toBeNull();
  });
});
