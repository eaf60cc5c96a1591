import { closeSync, openSync } from 'node:fs';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { isFileOrDevice, writeWhole } from '../../src/commands/standard-output.ts';
import { directoryWith } from '../support/temporary.ts';

describe('a result that does not fit on the disk', () => {
  it.each(['explain', 'explain --format json', 'explain LOSS_HIGH', '--help', 'probe --help', '--version'])(
    'is an error, and told: %s',
    async (args) => {
      const { exitCode, stderr } = await execa('sh', ['-c', `node bin/rtc-ops.js ${args} > /dev/full`], {
        reject: false,
      });
      expect([exitCode, stderr]).toEqual([
        4,
        expect.stringMatching(/the result cannot be written: .*ENOSPC/),
      ]);
    },
  );

  it('throws from the write itself', () => {
    const full = openSync('/dev/full', 'w');
    expect(() => writeWhole(full, 'text')).toThrow(/cannot be written/);
    closeSync(full);
  });
});

it('a file is told from a terminal and from a pipe', async () => {
  const directory = await directoryWith({ file: '' });
  const file = openSync(`${directory}/file`, 'w');
  expect([isFileOrDevice(file, false), isFileOrDevice(file, true)]).toEqual([true, false]);
  closeSync(file);
});
