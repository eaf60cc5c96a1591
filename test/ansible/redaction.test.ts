import { describe, expect, it } from 'vitest';
import { secretDigest, withoutOddSecrets, withoutSecrets } from '../../src/ansible/redaction.ts';

describe('a configuration without its secrets', () => {
  const text =
    'realm=r\nstatic-auth-secret=opensesame\n  user=alice:wonder\n#cli-password=hidden\nuser-quota=12\n';

  it('has a digest for each, in comments too, and leaves the rest as it is', () => {
    const told = withoutSecrets(text, 'key');
    expect(told).not.toMatch(/opensesame|wonder|hidden/);
    expect(told.split('\n').map((line) => line.replace(/\[secret [0-9a-f]{8}\]/, '[secret]'))).toEqual([
      ...[
        'realm=r',
        'static-auth-secret=[secret]',
        '  user=[secret]',
        '#cli-password=[secret]',
        'user-quota=12',
        '',
      ],
    ]);
  });

  it('has none of what only looks like a secret, from a host either', () => {
    const odd = 'static_auth_secret=opensesame\nrealm=r\n';
    const hidden = 'static_auth_secret=[redacted]\nrealm=r\n';
    expect(withoutSecrets(odd, 'key')).toBe(hidden);
    expect(withoutOddSecrets(`user=[secret 0123abcd]\n${odd}`)).toBe(`user=[secret 0123abcd]\n${hidden}`);
  });

  it('compares secrets under one key, and tells nothing under another', () => {
    expect(withoutSecrets(text, 'key')).toBe(withoutSecrets(text, 'key'));
    expect(withoutSecrets(text, 'key')).not.toBe(withoutSecrets(text, 'other'));
    expect(secretDigest('opensesame', 'key')).not.toBe(secretDigest('opensesama', 'key'));
  });
});
