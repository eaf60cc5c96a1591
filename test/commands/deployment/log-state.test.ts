import { expect, it } from 'vitest';
import { logState } from '../../../src/commands/deployment/log-state.ts';
import { parseConfig } from '../../../src/config/parse.ts';

const to = (target: string): Parameters<typeof logState>[0] =>
  parseConfig(`realm: r\nauth: { secret: { env: S } }\nhosts: [a.example]\nlogging: { to: ${target} }`, 'f');

it('a log of its own is rotated, by a logrotate that is installed where there is none', () => {
  const state = logState(to('/var/log/coturn/$&.log'), { logrotate: false } as never);
  expect(state.files[0]?.text).toContain('\n"/var/log/coturn/$&.log" {\n');
  expect(state).toMatchObject({
    packages: ['logrotate'],
    variables: { coturn_log_file: '/var/log/coturn/$&.log' },
  });
  expect(logState(to('/var/log/t.log'), { logrotate: true } as never).packages).toEqual([]);
});

it.each(['syslog', 'stdout'])('a log that goes to %s is rotated by what keeps it', (target) => {
  const nothing = { files: [], packages: [], variables: {} };
  expect(logState(to(target), { logrotate: false } as never)).toEqual(nothing);
});
