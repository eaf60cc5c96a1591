import { describe, expect, it } from 'vitest';
import { kernelState } from '../../../src/commands/deployment/kernel-state.ts';
import { parseConfig } from '../../../src/config/parse.ts';

const config = parseConfig('realm: r\nauth: { secret: { env: S } }\nhosts: [a.example]', 'f');
const [rmem, wmem] = ['net.core.rmem_max', 'net.core.wmem_max'] as const;
const path = '/etc/sysctl.d/10-rtc-ops.conf';
const usual = { value: 212_992, writable: true };
const plenty = { value: 4_194_304, writable: true };

describe('the kernel of a host', () => {
  it('is to give coturn the buffers that it asks for, where it gives less', () => {
    const { files, changes, variables, notes } = kernelState(config, {
      kernel: { [rmem]: usual, [wmem]: plenty },
      files: {},
    });
    expect(files).toMatchObject([
      { path, text: expect.stringMatching(/\nnet\.core\.rmem_max = 2097152\n$/) as string },
    ]);
    expect(changes).toEqual([{ name: rmem, from: 212_992, to: 2_097_152 }]);
    expect(variables).toEqual({ coturn_kernel_settings: { [rmem]: 2_097_152 } });
    expect(notes).toEqual([]);
  });

  it('is left as it is where it gives enough, and keeps what was raised', () => {
    const kernel = { [rmem]: plenty, [wmem]: plenty };
    expect(kernelState(config, { kernel, files: {} })).toMatchObject({ files: [], changes: [] });
    const ours = { owner: 'root', group: 'root', mode: '0644', text: `${wmem} = 2097152\n` };
    const { files, changes } = kernelState(config, { kernel, files: { [path]: ours } });
    expect([files.length, changes]).toEqual([1, []]);
  });

  it('of a container is not to be changed, which is said', () => {
    const kernel = { [rmem]: { ...usual, writable: false } };
    const { files, changes, notes } = kernelState(config, { kernel, files: {} });
    expect([files, changes]).toEqual([[], []]);
    expect(notes).toEqual([
      expect.stringMatching(
        /^net\.core\.rmem_max is 212992, and coturn asks for 2097152; that is not allowed/,
      ),
    ]);
  });

  it('tracks fewer connections than the relay lends ports, which is said', () => {
    const kernel = (value: number): object => ({
      kernel: { 'net.netfilter.nf_conntrack_max': { value, writable: true } },
      files: {},
    });
    // 16384 ports of the default range.
    expect(kernelState(config, kernel(32_768) as never).notes).toEqual([]);
    expect(kernelState(config, kernel(32_767) as never).notes.join()).toMatch(/^its kernel tracks 32767/);
  });
});
