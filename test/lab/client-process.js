/**
 * Loaded into the processes of a probe in the lab (`node --import`). It sets their clock off by RTC_OPS_LAB_CLOCK_MS, as on a
 * machine whose clock is wrong, and writes the peak memory of each (KiB) into the folder RTC_OPS_LAB_MEMORY.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const { RTC_OPS_LAB_CLOCK_MS: clockMs, RTC_OPS_LAB_MEMORY: memoryFolder } = process.env;

if (clockMs !== undefined) {
  const offset = Number(clockMs);
  globalThis.Date = class extends Date {
    constructor(...args) {
      if (args.length === 0) super(Date.now());
      else super(...args);
    }

    static now() {
      return super.now() + offset;
    }
  };
}

if (memoryFolder !== undefined) {
  process.on('exit', () => {
    writeFileSync(join(memoryFolder, `${process.pid}`), `${process.resourceUsage().maxRSS}`);
  });
}
