import { z } from 'zod';

const result = z.object({
  event: z.literal('result'),
  host: z.string(),
  task: z.string(),
  status: z.enum(['ok', 'changed', 'failed', 'unreachable', 'skipped', 'ignored']),
  message: z.string().optional(),
  stderr: z.string().optional(),
  output: z.string().optional(),
});

const event = z.discriminatedUnion('event', [
  z.object({ event: z.literal('task'), task: z.string() }),
  result,
  z.object({ event: z.literal('end'), hosts: z.record(z.string(), z.record(z.string(), z.number())) }),
]);

/** What the callback plugin `events` tells of a run, a line each. */
export type PlaybookEvent = z.output<typeof event>;

export type TaskResult = z.output<typeof result>;

/** Reads a line; null for one that was cut off, as the last of a run that was killed. */
export function parseEvent(line: string): PlaybookEvent | null {
  try {
    return event.parse(JSON.parse(line));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
