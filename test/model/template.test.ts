import { describe, expect, it } from 'vitest';
import { fillTemplate, readTemplate } from '../../src/model/template.ts';

describe('fillTemplate', () => {
  it('puts each value into each of its places, as it stands', () => {
    expect(fillTemplate('{{a}}-{{b}}-{{a}}\n', { a: '$1', b: '{{a}}' })).toBe('$1-{{a}}-$1\n');
  });

  it('refuses a place without a value', () => {
    expect(() => fillTemplate('{{a}} {{b}}', { a: '1' })).toThrow(
      'the template has {{b}} and no value for it',
    );
    expect(() => fillTemplate('{{toString}}', {})).toThrow('{{toString}}');
    expect(() => fillTemplate('{{ a }}', { a: '1' })).toThrow('{{ a }}');
  });

  it('refuses a value without a place', () => {
    expect(() => fillTemplate('{{a}}', { a: '1', b: '2', c: '3' })).toThrow(
      'the template has no place for b, c',
    );
  });
});

describe('readTemplate', () => {
  it('finds the templates of the package', () => {
    expect(readTemplate('credentials/turn.env')).toContain('{{username}}');
  });
});
