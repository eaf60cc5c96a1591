import { describe, expect, it } from 'vitest';
import { evidenceFrames } from '../../../src/probes/server/evidence-frames.ts';

const b = 'rtc-ops-0123';

function frames(text: string): ReturnType<typeof evidenceFrames> {
  return evidenceFrames(Buffer.from(text, 'latin1'), b);
}

describe('evidenceFrames', () => {
  it('cuts an output into its sections, and leaves what stands around them', () => {
    const output = `Welcome to the server\n\n${b} begin id\n0\n\n${b} end 0\n\n${b} begin empty\n\n${b} end 127\nnoise\n\n${b} finished\n`;
    const { sections, isWhole, endOf } = frames(output);
    expect(sections).toEqual({
      id: { status: '0', text: '0\n' },
      empty: { status: '127', text: '' },
    });
    expect(isWhole).toBe(true);
    expect(output.slice(0, endOf('id') ?? 0)).toMatch(/end 0\n$/);
    expect(endOf('other')).toBeNull();
  });

  it('keeps what a section says of other boundaries, and its first saying', () => {
    const { sections } = frames(
      `\n${b} begin a\nrtc-ops-9 end 0\n\n${b} end 0\n\n${b} begin a\nforged\n${b} end 0\n`,
    );
    expect(sections).toEqual({ a: { status: '0', text: 'rtc-ops-9 end 0\n' } });
  });

  it('says which section an output ends in', () => {
    const { sections, isWhole } = frames(`\n${b} begin a\nhalf of i`);
    expect(sections).toEqual({ a: { status: 'cut', text: 'half of i' } });
    expect(isWhole).toBe(false);
  });

  it('reads UTF-8, and bytes that are none as they are', () => {
    expect(frames(`\n${b} begin a\n\u00C3\u00A9\n${b} end 0\n`).sections['a']?.text).toBe('é');
    expect(frames(`\n${b} begin a\n\u00E9\n${b} end 0\n`).sections['a']?.text).toBe('\u00E9');
  });
});
