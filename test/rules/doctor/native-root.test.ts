import { expect, it } from 'vitest';
import type { Observations } from '../../../src/model/observations.ts';
import { LogAssembly } from '../../../src/coturn/log/assembly.ts';
import type { ServerLogFacts } from '../../../src/model/server-log-facts.ts';
import { nativeRootCatalog } from '../../../src/model/catalog/native-root.ts';
import { nativeRootFindings as rule } from '../../../src/rules/doctor/native-root.ts';
import { done, healthyFacts, observationsOf, targetOf } from '../../support/facts.ts';
import { ProvokedFindings } from '../../support/provoked.ts';

const provoked = new ProvokedFindings();
const nativeRootFindings = provoked.watch(rule);

const tls = targetOf('tls');

/** A listener whose chain leads to `root`. */
function serving(root: string, changes: object = {}): Observations {
  const facts = healthyFacts(tls);
  if (facts.tls.state !== 'done') throw new Error('it has no TLS');
  const [leaf] = facts.tls.value.chain;
  if (leaf === undefined) throw new Error('it has no certificate');
  const chain = [leaf, { ...leaf, subject: 'CN=R11', issuer: `CN=${root}` }];
  return observationsOf([{ ...facts, tls: done({ ...facts.tls.value, chain, ...changes }) }]);
}

/** A client that was served, and others whose TLS connections failed. */
function logOf(...failing: readonly string[]): ServerLogFacts {
  const end = (client: string, reason: string): string =>
    `closed (2nd stage), user <> realm <r> origin <>, local 203.0.113.10:5349, remote ${client}, reason: ${reason}`;
  const lines = [
    'session 001: new, realm=<r>, username=<9:alice>, lifetime=600',
    `session 001: ${end('198.51.100.7:4000', 'allocation timeout')}`,
    'session 001: delete: realm=<r>, username=<9:alice>',
    ...failing.map(
      (client, index) =>
        `session 1${index}: ${end(client, 'TLS/TCP socket buffer operation error (callback)')}`,
    ),
  ];
  const assembly = new LogAssembly(0);
  for (const line of lines) assembly.push({ text: `0: : ${line}`, isCut: false });
  return assembly.finish('x.log', null);
}

function judged(seen: Observations, ...failing: readonly string[]): unknown[] {
  const logs = [
    { state: 'seen', value: logOf(...failing) },
    { state: 'unknown', because: 'no' },
  ] as const;
  return nativeRootFindings(seen, logs).map(({ code, severity, evidence }) => [code, severity, evidence]);
}

it.each(['ISRG Root X1', 'Amazon Root CA 1'])('doubts a chain to %s', (root) => {
  expect(judged(serving(root))).toMatchObject([
    ['NATIVE_ROOT_MISSING', 'info', { root, failed: 0, who: [] }],
  ]);
});

it('warns where clients that are served otherwise fail at TLS', () => {
  const [one, other] = ['198.51.100.7:4001', '198.51.100.7:4002'];
  expect(judged(serving('ISRG Root X1'), one, other)).toMatchObject([
    ['NATIVE_ROOT_MISSING', 'warning', { failed: 2, who: ['198.51.100.7'] }],
  ]);
  expect(judged(serving('ISRG Root X1'), one)).toMatchObject([
    ['NATIVE_ROOT_MISSING', 'info', { failed: 1 }],
  ]);
  const scanners = ['192.0.2.1:4001', '192.0.2.2:4002', '192.0.2.2:4003'];
  expect(judged(serving('ISRG Root X1'), ...scanners)).toMatchObject([
    ['NATIVE_ROOT_MISSING', 'info', { failed: 0 }],
  ]);
});

it('says nothing of other roots, of a chain that is refused here, or without TLS', () => {
  const failing = ['198.51.100.7:4001', '198.51.100.7:4002'];
  expect(judged(serving('GTS Root R1'), ...failing)).toEqual([]);
  expect(judged(serving('ISRG Root X1', { chainError: 'CERT_HAS_EXPIRED' }), ...failing)).toEqual([]);
  expect(judged(serving('ISRG Root X1', { nameError: 'it names another' }), ...failing)).toEqual([]);
  expect(judged(observationsOf([healthyFacts(targetOf('udp'))]), ...failing)).toEqual([]);
});

it('provokes every finding that there is of this kind', () => {
  expect(provoked.missing(Object.keys(nativeRootCatalog))).toEqual([]);
});
