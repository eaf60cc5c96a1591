import { describe, expect, it } from 'vitest';
import { describeFailure } from '../../src/model/failure.ts';
import { finding, wordsOf } from '../../src/model/finding.ts';
import { printable } from '../../src/model/printable.ts';

const hostile = 'r\u001b[2J\u0007\n::error::forged\u009b31m';

describe('printable', () => {
  it('lets no control character through, and every letter', () => {
    expect(printable(hostile)).toBe('r\ufffd[2J\ufffd\ufffd::error::forged\ufffd31m');
    expect(printable('größer → 東京')).toBe('größer → 東京');
  });

  it('guards the words of findings', () => {
    const evidence = {
      host: 'h',
      address: '192.0.2.1',
      port: 3478,
      transport: 'udp',
      username: 'u',
      realm: hostile,
    } as const;
    const words = wordsOf(finding('CREDENTIAL_SECRET_MISMATCH', { ...evidence, derived: true }));
    expect(JSON.stringify(words)).toContain('forged');
    // eslint-disable-next-line no-control-regex
    expect(Object.values(words).flat().join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });

  it('guards the reason phrase of a server', () => {
    expect(describeFailure({ kind: 'stun-error', code: 400, reason: hostile })).toBe(
      `error 400 ${printable(hostile)}`,
    );
  });
});
