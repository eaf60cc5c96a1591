import { describe, expect, it } from 'vitest';
import type { TargetFacts } from '../../src/model/observations.ts';
import { judge } from '../../src/rules/judgement.ts';
import { outwardFindings, outwardOf } from '../../src/rules/outward.ts';
import {
  criteriaWith,
  deadFacts,
  healthyFacts,
  observationsOf,
  refusal,
  silence,
  systemError,
  targetOf,
} from '../support/facts.ts';

const [udp, tcp] = [targetOf('udp'), targetOf('tcp')];
const web = targetOf('tls', { port: 443 });
const elsewhere = { scheme: 'stun', host: 'stun.example.net', address: '192.0.2.30' } as const;
const control = targetOf('udp', elsewhere);
const oddPort = targetOf('udp', { ...elsewhere, port: 19302 });
const controlTcp = targetOf('tcp', elsewhere);
const controlWeb = targetOf('tls', { ...elsewhere, scheme: 'stuns', port: 443 });

const silent = (target: typeof udp): TargetFacts =>
  deadFacts(target, target.transport === 'udp' ? 'binding' : 'connect', silence);
const refused = (target: typeof udp): TargetFacts => deadFacts(target, 'binding', refusal);

describe('what became of the same packets elsewhere', () => {
  const controlName = 'UDP 3478 of stun.example.net';
  it.each<[string, readonly TargetFacts[], readonly string[], readonly string[]]>([
    ['nothing else was asked', [], [], []],
    ['a control answers', [healthyFacts(control)], [controlName], []],
    ['a control is silent too', [silent(control)], [], [controlName]],
    // Rejected on the way to one and dropped to the other is not one firewall: the control is down.
    ['a control is refused', [refused(control)], [], []],
    [
      'one of two controls answers',
      [silent(control), healthyFacts(targetOf('udp', { ...elsewhere, address: '192.0.2.31' }))],
      [controlName],
      [],
    ],
    // UDP leaves, but perhaps not to this port.
    ['a control answers on another port', [healthyFacts(oddPort)], [], []],
    ['a control is silent on another port', [silent(oddPort)], [], ['UDP 19302 of stun.example.net']],
    ['a control answers over TCP alone', [healthyFacts(controlTcp)], [], []],
    ['it is the same server', [silent(targetOf('udp', { host: 'alias.example' }))], [], []],
  ])('%s', (_what, controls, leavesTo, endsHereFor) => {
    expect(outwardOf(silent(udp), { targets: [silent(udp)], controls })).toEqual({ leavesTo, endsHereFor });
  });

  it('is learnt from the other targets as well, and never that it ends here', () => {
    const other = targetOf('udp', { host: 'b.example', address: '203.0.113.11' });
    expect(
      outwardOf(silent(udp), { targets: [silent(udp), healthyFacts(other)], controls: [] }).leavesTo,
    ).toEqual(['UDP 3478 of b.example']);
    // Two servers of one owner can have the same firewall.
    expect(
      outwardOf(silent(udp), { targets: [silent(udp), silent(other)], controls: [] }).endsHereFor,
    ).toEqual([]);
  });

  it('is told by TCP port, as firewalls open single ones', () => {
    const seen = { targets: [silent(tcp)], controls: [silent(controlTcp), healthyFacts(controlWeb)] };
    expect(outwardOf(silent(tcp), seen).endsHereFor).toEqual(['TCP 3478 of stun.example.net']);
    expect(outwardOf(silent(targetOf('tls')), seen).endsHereFor).toEqual([]);
  });
});

describe('a TCP port on which no control was asked', () => {
  const tls = targetOf('tls');
  const corporate = {
    targets: [silent(udp), silent(tcp), silent(tls), healthyFacts(web)],
    controls: [silent(control), silent(controlTcp)],
  };

  it('ends here too where nothing but port 443 leaves', () => {
    const controlNames = ['TCP 3478 of stun.example.net'];
    expect(outwardOf(silent(tls), corporate)).toMatchObject({ endsHereFor: controlNames, only443: true });
    const [found] = outwardFindings(corporate);
    expect(found).toMatchObject({
      code: 'ONLY_TLS_443_LEAVES',
      targets: [udp.url, tcp.url, tls.url],
      evidence: { silent: ['UDP 3478 of stun.example.net', ...controlNames] },
    });
    const { findings, targets } = judge(
      observationsOf(corporate.targets, { controls: corporate.controls }),
      criteriaWith(),
    );
    expect(findings.map(({ code }) => code)).toEqual(['ONLY_TLS_443_LEAVES']);
    expect(targets[2]?.checks[0]).toMatchObject({
      status: 'unknown',
      because:
        'only port 443 leaves this network, and not TCP 5349: TCP 3478 of stun.example.net, known to work, does not answer either',
    });
  });

  it.each<[string, typeof corporate]>([
    ['UDP leaves', { ...corporate, controls: [healthyFacts(control), silent(controlTcp)] }],
    ['another TCP port leaves', { ...corporate, targets: [silent(udp), silent(tls), healthyFacts(tcp)] }],
    ['nothing answers at all', { ...corporate, targets: [silent(udp), silent(tcp), silent(tls)] }],
    ['no other TCP port was asked', { ...corporate, controls: [silent(control)] }],
  ])('is not known to where %s', (_what, seen) => {
    expect(outwardOf(silent(tls), seen).endsHereFor).toEqual([]);
  });

  it('does not end here where the server itself refuses', () => {
    expect(outwardOf(deadFacts(tls, 'connect', refusal), corporate).endsHereFor).toEqual([]);
  });
});

describe('the findings about this network', () => {
  it.each<[string, readonly TargetFacts[], readonly TargetFacts[], string | undefined]>([
    ['no control', [silent(udp), healthyFacts(tcp)], [], undefined],
    ['a control that answers', [silent(udp), healthyFacts(tcp)], [healthyFacts(control)], undefined],
    ['a silent control', [silent(udp), healthyFacts(tcp)], [silent(control)], 'UDP_BLOCKED_HERE'],
    ['a silent control, and UDP that works', [healthyFacts(udp)], [silent(control)], undefined],
    [
      'only port 443 answers',
      [silent(udp), silent(tcp), healthyFacts(web)],
      [silent(control), silent(controlTcp)],
      'ONLY_TLS_443_LEAVES',
    ],
    ['only port 443 was asked', [silent(udp), healthyFacts(web)], [silent(control)], 'UDP_BLOCKED_HERE'],
    [
      'nothing answers at all',
      [silent(udp), silent(tcp)],
      [silent(control), silent(controlTcp)],
      'UDP_BLOCKED_HERE',
    ],
  ])('%s', (_what, targets, controls, code) => {
    expect(outwardFindings({ targets, controls })[0]?.code).toBe(code);
  });

  it('say whether UDP was dropped or rejected', () => {
    const rejected = (target: typeof udp): TargetFacts =>
      deadFacts(target, 'binding', systemError('EHOSTUNREACH'));
    const [found] = outwardFindings({ targets: [rejected(udp)], controls: [rejected(control)] });
    expect(found?.evidence).toMatchObject({ refused: true });
  });
});

describe('the verdict', () => {
  const judged = (controls: readonly TargetFacts[]): ReturnType<typeof judge> =>
    judge(observationsOf([silent(udp), healthyFacts(tcp)], { controls }), criteriaWith());

  it('is no longer against the server when the block is here', () => {
    expect(judged([])).toMatchObject({ verdict: 'degraded', findings: [{ code: 'UDP_BLOCKED' }] });
    const { verdict, findings, targets } = judged([silent(control)]);
    expect(verdict).toBe('unknown');
    expect(findings.map(({ code, severity }) => `${code} ${severity}`)).toEqual(['UDP_BLOCKED_HERE warning']);
    expect(targets[0]?.checks[0]).toMatchObject({ id: 'listener-answers', status: 'unknown' });
  });

  it('is not lowered by what is wrong here, when all that is required works', () => {
    const facts = observationsOf([silent(udp), healthyFacts(tcp)], { controls: [silent(control)] });
    expect(judge(facts, criteriaWith({ require: ['tcp', 'relay'] })).verdict).toBe('healthy');
  });

  it('blames the firewall of the server when the same packets reach another one', () => {
    const [blocked] = judged([healthyFacts(control)]).findings;
    expect(blocked).toMatchObject({
      code: 'UDP_BLOCKED',
      evidence: { leavesTo: ['UDP 3478 of stun.example.net'] },
    });
    expect(blocked?.cause).toMatch(
      /answers from here, so it is a firewall at the server or its provider that drops/,
    );
    expect(blocked?.fix).not.toMatch(/in this one/);
  });

  it('needs no name of a control', () => {
    const facts = observationsOf([healthyFacts(udp)]);
    const names = [
      ...facts.names,
      {
        host: 'stun.example.net',
        isControl: true,
        lookup: { state: 'failed', atMs: 0, durationMs: 1, failure: systemError('ENOTFOUND') } as const,
      },
    ];
    const { verdict, checks } = judge({ ...facts, names }, criteriaWith());
    expect(verdict).toBe('healthy');
    expect(checks.at(-1)).toMatchObject({
      status: 'unknown',
      because: 'the control stun.example.net does not resolve, and tells nothing',
    });
  });
});
