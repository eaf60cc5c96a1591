import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { arbitraryYaml, elsewhere } from '../support/arbitrary-config.ts';

const validate = new Ajv2020({ strict: true, allowUnionTypes: true, validateFormats: false }).compile(
  configJsonSchema(),
);

it('takes what the schema takes', () => {
  fc.assert(
    fc.property(arbitraryYaml(elsewhere), (yaml) => {
      expect([validate(parse(yaml)), validate.errors]).toEqual([true, null]);
    }),
    { numRuns: 100 },
  );
});

it.each([
  ['relm: example.org', 'realm'],
  ['realm: r\nrelm: x', 'additional properties'],
  ['realm: r\nauth: { secret: hunter2 }', '/auth/secret'],
  ['realm: r\ntls: { certbot: { challenge: { dns: x, key: y } } }', '/tls'],
  ['realm: r\nhosts: [{ name: a, listen: { udp: 0 } }]', '/hosts/0'],
])('refuses %j', (yaml, told) => {
  expect(validate(parse(yaml))).toBe(false);
  expect(JSON.stringify(validate.errors)).toContain(told);
});

it('says of each key what it is for, or its default', () => {
  const silent: string[] = [];
  const look = (path: string, schema: unknown): void => {
    const properties = Object.entries((schema as { properties?: Record<string, unknown> }).properties ?? {});
    for (const [key, each] of properties) {
      const { description, default: value } = each as { description?: string; default?: unknown };
      if (description === undefined && value === undefined) silent.push(`${path}${key}`);
      look(`${path}${key}.`, each);
    }
  };
  look('', configJsonSchema());
  expect(silent).toEqual([]);
});
