import { describe, expect, it } from 'vitest';
import { serverFacts } from '../../../src/evidence/server/server-facts.ts';
import { startedBy, starterOf } from '../../../src/rules/doctor/starter.ts';
import { recordedPid, recordedServer, type Change } from '../../support/recorded-server.ts';

const starterWith = (changes: Readonly<Record<string, Change>> = {}): ReturnType<typeof starterOf> =>
  starterOf(serverFacts(recordedServer(changes)));

describe('what starts coturn', () => {
  it('is its usual unit, another one, or a person', () => {
    expect(starterWith()).toBeNull();
    expect(starterWith({ units: (text) => text.replace('Id=coturn.service', 'Id=rtc.service') })).toEqual({
      kind: 'unit',
      name: 'rtc',
    });
    const stopped = (text: string): string =>
      text.replace('MainPID=685', 'MainPID=0').replace('ActiveState=active', 'ActiveState=inactive');
    expect(starterWith({ units: stopped })).toEqual({ kind: 'person', pids: [recordedPid] });
    expect(starterWith({ units: { status: '127' } })).toEqual({ kind: 'person', pids: [recordedPid] });
    // Not known, in a container, and not there.
    expect(starterWith({ units: { status: '124' } })).toBeNull();
    const cgroup = { [`process ${recordedPid} cgroup`]: '0::/system.slice/docker-0123456789ab.scope\n' };
    expect(starterWith({ units: stopped, ...cgroup })).toBeNull();
    expect(starterWith({ units: stopped, processes: 'looked at\nleft 0\nelsewhere 0\n' })).toBeNull();
  });

  it('is what a fix names', () => {
    const fix = [
      'on the server:  sudo systemctl restart coturn',
      'on the server:  sudo journalctl -u coturn -n 50',
      'on the server:  sudo systemctl enable --now coturn.service',
      'on the server:  sudo apt-get install --only-upgrade coturn',
    ];
    expect(startedBy(fix, null)).toEqual(fix);
    expect(startedBy(fix, { kind: 'unit', name: 'rtc' })).toEqual([
      'on the server:  sudo systemctl restart rtc',
      'on the server:  sudo journalctl -u rtc -n 50',
      'on the server:  sudo systemctl enable --now rtc',
      'on the server:  sudo apt-get install --only-upgrade coturn',
    ]);
    expect(startedBy(fix, { kind: 'person', pids: [812] })).toEqual([
      'end process 812 and start it as it was started: systemd does not run it',
      ...fix.slice(1),
    ]);
  });
});
