import { describe, expect, it } from 'vitest';
import { coturnOptions, hasOption, isEffective, optionOf } from '../../src/coturn/options.ts';

describe('the option table', () => {
  it('has each option once', () => {
    const names = coturnOptions.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('knows from when to when an option exists', () => {
    expect(hasOption('4.5.2', 'no-rfc5780')).toBe(false);
    expect(hasOption('4.6.0', 'no-rfc5780')).toBe(true);
    expect(hasOption('4.6.3', 'no-tlsv1')).toBe(true);
    expect(hasOption('4.7.0', 'no-tlsv1')).toBe(false);
    expect(hasOption('4.17.2', 'no-dtls')).toBe(true);
    expect(hasOption('4.18.0', 'no-dtls')).toBe(false);
    expect(hasOption('4.5.2', 'dh2066')).toBe(false);
    expect(hasOption('4.6.1', 'fingerprin')).toBe(false);
  });

  it('knows when an option stops to matter', () => {
    expect(isEffective('4.9.0', 'no-cli')).toBe(true);
    expect(isEffective('4.10.0', 'no-cli')).toBe(false);
    expect(hasOption('4.10.0', 'no-cli')).toBe(true);
    expect(isEffective('4.5.2', 'no-rfc5780')).toBe(false);
  });

  it('tells the letters of an option apart', () => {
    expect(optionOf('verbose')?.name).toBe('verbose');
    expect(optionOf('Verbose')?.name).toBe('Verbose');
    expect(optionOf('REALM')).toBeUndefined();
  });
});
