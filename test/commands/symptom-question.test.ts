import { describe, expect, it } from 'vitest';
import { askedSymptom } from '../../src/commands/symptom-question.ts';

function terminal(
  answers: readonly string[],
  overrides: object = {},
): { texts: string[]; context: Parameters<typeof askedSymptom>[1] } {
  const texts: string[] = [];
  const left = [...answers];
  const context = {
    ask: async (question: string) => {
      texts.push(question);
      return Promise.resolve(left.shift() ?? '');
    },
    env: {},
    stdinIsTerminal: true,
    stderrIsTerminal: true,
    stderr: (text: string) => void texts.push(text),
    ...overrides,
  };
  return { texts, context };
}

const human = { format: 'human' };

describe('the question of what users say', () => {
  it('takes a number or the name, and asks again for what is neither', async () => {
    expect(await askedSymptom(human, terminal(['1']).context)).toBe('one-way');
    expect(await askedSymptom(human, terminal(['turns-only']).context)).toBe('turns-only');
    const { texts, context } = terminal(['9', 'no audio', ' 3 ']);
    expect(await askedSymptom(human, context)).toBe('drops-after');
    expect(texts[0]).toContain('  1  one side hears nothing\n');
    expect(texts).toHaveLength(4);
  });

  it('is content without an answer', async () => {
    expect(await askedSymptom(human, terminal(['']).context)).toBeNull();
  });

  it.each([
    ['a job of CI', human, { env: { CI: 'true' } }],
    ['a pipe', human, { stdinIsTerminal: false }],
    ['nobody to see it', human, { stderrIsTerminal: false }],
    ['JSON', { format: 'json' }, {}],
    ['--quiet', { format: 'human', quiet: true }, {}],
  ])('is not asked with %s', async (_, options, overrides) => {
    const { texts, context } = terminal(['1'], overrides);
    expect(await askedSymptom(options, context)).toBeNull();
    expect(texts).toEqual([]);
  });
});
