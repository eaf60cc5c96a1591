import { z } from 'zod';
import { configSchema } from './schema.ts';

/**
 * `rtc-ops.yaml` as JSON Schema (draft 2020-12), for editors. It knows each key, what it is for and what it may hold; what
 * belongs together (constraints.ts) is beyond it.
 */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: 'input' });
  return {
    $schema,
    title: 'rtc-ops.yaml',
    description: 'A TURN or STUN service.',
    ...schema,
    // The properties are named again because validators that are strict want to see what they require.
    anyOf: ['realm', 'provider'].map((key) => ({ properties: { [key]: {} }, required: [key] })),
  };
}
