import { expect } from 'vitest';
import type { AudioFacts } from '../../src/model/observations.ts';
import { needs } from '../support/requirements.ts';
import { openLab, type LineCounters } from './lab.ts';
import { probe } from './matrix-run.ts';

const { it } = needs('lab', 'coturn');

/**
 * Each packet of the call crosses the bad line twice, as both of its ends are client a: on its way to the relay, and on its
 * way from there.
 */
it('a call over a bad line has the loss and the jitter that the line gave it', async () => {
  const lab = await openLab('lossy');
  try {
    const { report } = await probe(lab, {
      network: 'lossy',
      ask: ['udp 3478'],
      durationMs: 15_000,
      expected: { verdict: 'degraded', causes: {}, checks: 'varies' },
    });
    const [target] = report.targets;
    const call = target?.observations.call;
    if (call?.state !== 'done') throw new Error(`there was no call: ${JSON.stringify(call)}`);
    const counters = await lab.lineCounters();
    const [applied, measured] = [appliedBy(counters), measuredIn(call.value.audio)];
    process.stdout.write(
      `\nlossy: loss ${percent(measured.loss)} of ${percent(applied.loss)} applied, ` +
        `jitter ${measured.jitterMs.toFixed(1)} ms of ${applied.jitterMs.toFixed(1)} ms applied\n`,
    );
    expect(Math.abs(measured.loss - applied.loss)).toBeLessThan(0.02);
    expect(measured.jitterMs / applied.jitterMs).toBeGreaterThan(0.7);
    expect(measured.jitterMs / applied.jitterMs).toBeLessThan(1.3);
  } finally {
    await lab.close();
  }
});

interface Figures {
  /** 0 to 1. */
  readonly loss: number;
  readonly jitterMs: number;
}

function appliedBy([out, back]: readonly [LineCounters, LineCounters]): Figures {
  const arrives = [out, back].map(({ came, lost }) => 1 - lost / came);
  // RFC 3550's jitter is the mean of |D|, D being the difference of the delays of two packets. Each delay is a sum of two
  // from the line, so D is nearly normal with twice the sum of their variances; the mean of |x| is then √(2/π) σ.
  const variance = 2 * [out, back].reduce((sum, { delayDeviationMs }) => sum + delayDeviationMs ** 2, 0);
  return {
    loss: 1 - arrives.reduce((product, each) => product * each, 1),
    jitterMs: Math.sqrt(2 / Math.PI) * Math.sqrt(variance),
  };
}

/** Of both directions of the call together. */
function measuredIn(audio: readonly AudioFacts[]): Figures {
  const sum = (of: (direction: AudioFacts) => number): number =>
    audio.reduce((total, direction) => total + of(direction), 0);
  return {
    loss: sum(({ lossRatio }) => lossRatio) / audio.length,
    jitterMs: sum(({ jitterMeanMs }) => jitterMeanMs) / audio.length,
  };
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}
