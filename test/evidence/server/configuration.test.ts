import { describe, expect, it } from 'vitest';
import { serverFacts } from '../../../src/evidence/server/server-facts.ts';
import { codesOf, judged, recordedPid, recordedServer, type Change } from '../../support/recorded-server.ts';

/** The ways to a file behind a symbolic link, as the script tells them: that to the link, and that to what it leads to. */
function linked(link: string, target: string, mode = '640'): string {
  const way = (path: string, end: string): string => {
    const parts = path.split('/').slice(1, -1);
    const directories = parts.map(
      (_, index) => `0 0 755 1000000000 1000000000 /${parts.slice(0, index + 1).join('/')}`,
    );
    return [
      '0 0 755 1000000000 1000000000 /',
      ...directories,
      `0 103 ${end} 1000000000 1000000000 ${path}`,
    ].join('\n');
  };
  return `${way(link, mode)}\n${way(target, mode)}\n`;
}

describe('a file behind a symbolic link', () => {
  it.each([
    ['the configuration', 'configuration', '/etc/turnserver.conf', '/srv/turn/turnserver.conf'],
    ['the certificate', 'cert', '/etc/turnserver/chain.pem', '/etc/letsencrypt/archive/turn/fullchain1.pem'],
    ['the key', 'pkey', '/etc/turnserver/key.pem', '/etc/letsencrypt/archive/turn/privkey1.pem'],
  ])('%s is read by a group that may read it', (_, name, link, target) => {
    const section = `${name} ${recordedPid} nodes`;
    expect(codesOf(judged(recordedServer({ [section]: linked(link, target) })))).toEqual([]);
    expect(codesOf(judged(recordedServer({ [section]: linked(link, target, '600') })))).not.toEqual([]);
  });
});

describe('a configuration in a directory that is closed to who looks', () => {
  const changes: Readonly<Record<string, Change>> = {
    id: '1002\n',
    [`configuration ${recordedPid} nodes`]:
      '0 0 755 1000000000 1000000000 /\n0 103 750 1000000000 1000000000 /etc\nerror EACCES\n',
    [`configuration ${recordedPid} text`]: { status: 'absent' },
  };

  it('is not known, and is no missing one', () => {
    const { configurations, daemons } = serverFacts(recordedServer(changes));
    const because = '/etc/turnserver.conf cannot be read without root';
    expect(configurations[0]?.text).toEqual({ state: 'unknown', because });
    expect(daemons).toMatchObject({
      value: [{ configuration: { from: 'argument' }, settings: { state: 'unknown', because } }],
    });
    expect(judged(recordedServer(changes)).notExamined).toContainEqual(
      expect.objectContaining({ because, isRequired: true }),
    );
  });
});
