import { describe, expect, it } from 'vitest';
import { parseEvent } from '../../src/ansible/event.ts';

describe('an event', () => {
  it('is a line of JSON', () => {
    const failed = { event: 'result', host: 'a', task: 't', status: 'failed', message: 'm', stderr: '' };
    expect(parseEvent(JSON.stringify(failed))).toEqual(failed);
  });

  it('that was cut off is none', () => {
    expect(parseEvent('{"event": "task", "ta')).toBeNull();
  });

  it('of another kind is a mistake of the plugin', () => {
    expect(() => parseEvent('{"event": "surprise"}')).toThrow(/event/);
  });
});
