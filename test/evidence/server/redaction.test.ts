import { describe, expect, it } from 'vitest';
import { redactedArgv } from '../../../src/evidence/server/account.ts';
import { redactedEvidence } from '../../../src/evidence/server/redaction.ts';
import { codesOf, judged, recordedServer } from '../../support/recorded-server.ts';

describe('redactedArgv', () => {
  it.each([
    ['turnserver -c /etc/turnserver.conf --pidfile=', 'turnserver -c /etc/turnserver.conf --pidfile='],
    ['turnserver --static-auth-secret=abc -o', 'turnserver --static-auth-secret=[redacted] -o'],
    ['turnserver -o --static-auth-secret abc -v', 'turnserver -o --static-auth-secret [redacted] -v'],
    ['turnserver -u joe:abc --user=a:b -ujoe:abc', 'turnserver -u [redacted] --user=[redacted] [redacted]'],
    ['turnserver -vu -abc --user-quota=4', 'turnserver -vu [redacted] --user-quota=4'],
    ['turnserver -e password=abc', 'turnserver -e [redacted]'],
  ])('%s', (text, redacted) => {
    expect(redactedArgv(text.split(' ')).join(' ')).toBe(redacted);
  });
});

describe('redactedEvidence', () => {
  const evidence = recordedServer({
    'process 685 arguments': 'turnserver\n-u\njoe:hunter2hunter2\n-c\n/etc/turnserver.conf\n',
    'unit-file /etc/systemd/system/coturn.service.d/x.conf': [
      '[Service]',
      'Environment=A=b "TURN_SECRET=hunter2 hunter2"',
      '# ExecStart=turnserver --user=joe:hunter2hunter2',
      'ExecStart=turnserver --min-port=49152 \\',
      '  --static-auth-secret=hunter2hunter2 \\',
      '  --cli-password \\',
      '\thunter2hunter2 \\',
      '  --max-port=65535',
      'User=turnserver',
      '',
    ].join('\n'),
  });

  it('has no secret, and all else', () => {
    const redacted = redactedEvidence(evidence);
    const text = JSON.stringify(redacted);
    const secret = /static-auth-secret=(\S+)/.exec(
      evidence.sections['configuration 685 text']?.text ?? '',
    )?.[1];
    expect(secret?.length).toBeGreaterThan(10);
    expect(text).not.toContain(secret);
    expect(text).not.toContain('hunter2');
    expect(redacted.sections['unit-file /etc/systemd/system/coturn.service.d/x.conf']?.text).toBe(
      [
        '[Service]',
        'Environment=A=b "TURN_SECRET=[redacted]',
        '# ExecStart=turnserver --user=[redacted]',
        'ExecStart=turnserver --min-port=49152 \\',
        '  --static-auth-secret=[redacted] \\',
        '  --cli-password \\',
        '\t[redacted] \\',
        '  --max-port=65535',
        'User=turnserver',
        '',
      ].join('\n'),
    );
    expect(text).toContain('realm=lab.test');
    expect(Object.keys(redacted.sections)).toEqual(Object.keys(evidence.sections));
  });

  it('is judged as it was, but for its secrets', () => {
    const redacted = judged(redactedEvidence(recordedServer()));
    expect(codesOf(redacted).filter((code) => code !== 'WEAK_SECRET')).toEqual(
      codesOf(judged(recordedServer())),
    );
  });
});
