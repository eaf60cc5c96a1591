import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spansOf } from '../../../src/coturn/firewall/rule-set.ts';
import type { Opening } from '../../../src/model/firewall.ts';

function opening(first: number, last = first, protocol: Opening['protocol'] = 'udp'): Opening {
  return { protocol, ports: { first, last }, purpose: 'relay', families: [4, 6] };
}

describe('spansOf', () => {
  it('takes those of one protocol, in order, without what another holds', () => {
    const openings = [
      opening(5000, 6000),
      opening(3478),
      opening(3478),
      opening(5500),
      opening(443, 443, 'tcp'),
    ];
    expect(spansOf(openings, 'udp')).toEqual([
      { first: 3478, last: 3478 },
      { first: 5000, last: 6000 },
    ]);
  });

  it('covers the ports of all openings, and no other', () => {
    const span = fc
      .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 10 }))
      .map(([first, more]) => opening(first, first + more));
    fc.assert(
      fc.property(fc.array(span, { maxLength: 6 }), (openings) => {
        const spans = spansOf(openings, 'udp');
        for (let port = 1; port <= 72; port++) {
          const wanted = openings.some(({ ports }) => ports.first <= port && port <= ports.last);
          expect(spans.some(({ first, last }) => first <= port && port <= last)).toBe(wanted);
        }
      }),
    );
  });
});
