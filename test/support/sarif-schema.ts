import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';

const { resolve } = createRequire(import.meta.url);

/** What breaks the JSON schema of SARIF 2.1.0, a line each: `/runs/0/results/1/level must be equal to …`. */
export function sarifErrors(log: unknown): string[] {
  if (validate(log)) return [];
  return (validate.errors ?? []).map(({ instancePath, message = '' }) => `${instancePath} ${message}`);
}

const schema = JSON.parse(
  // Of this package its schema alone is used.
  readFileSync(resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'), 'utf8'),
) as { $schema?: string; id?: string };
// Draft 4 in name alone: nothing of it reads otherwise in draft 7, which ajv knows.
delete schema.$schema;
delete schema.id;

const validate = new Ajv({
  strict: false,
  allErrors: true,
  // One pattern of it (language) is none with the flag u.
  unicodeRegExp: false,
  formats: {
    uri: (text: string) => /^[a-z][a-z\d+.-]*:[\w.~:/?#[\]@!$&'()*+,;=%-]*$/i.test(text),
    'uri-reference': (text: string) => /^[\w.~:/?#[\]@!$&'()*+,;=%-]*$/.test(text),
    'date-time': (text: string) => !Number.isNaN(Date.parse(text)),
  },
}).compile(schema);
