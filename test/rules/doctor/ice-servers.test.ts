import { expect, it } from 'vitest';
import type { IceServersFacts, IceServersProblem } from '../../../src/model/ice-servers.ts';
import { iceServersCatalog } from '../../../src/model/catalog/ice-servers.ts';
import { iceServersFindings as rule } from '../../../src/rules/doctor/ice-servers.ts';
import { ProvokedFindings } from '../../support/provoked.ts';

const provoked = new ProvokedFindings();
const iceServersFindings = provoked.watch(rule);

function judged(urls: readonly string[], ...kinds: readonly IceServersProblem['kind'][]): string[][] {
  const problems = kinds.map((kind) => ({ kind, at: 'iceServers[0]', text: 'it is wrong', instead: null }));
  const facts: IceServersFacts = { file: 'ice.json', urls, problems };
  return iceServersFindings(facts).map(({ code, severity }) => [code, severity]);
}

it('is silent where nothing is wrong', () => {
  expect(judged(['turn:turn.example.com'])).toEqual([]);
});

it('has a finding for each kind of fault', () => {
  expect(judged([], 'refused', 'refused')).toEqual([['ICE_SERVERS_REFUSED', 'error']]);
  expect(judged(['stun:stun.example.com'], 'no-turn')).toEqual([['ICE_SERVERS_WITHOUT_TURN', 'error']]);
});

it('takes DTLS for a fault where there is nothing else', () => {
  expect(judged(['stun:stun.example.com'], 'dtls')).toEqual([['ICE_SERVERS_DTLS', 'error']]);
  expect(judged(['TURN:turn.example.com'], 'dtls')).toEqual([['ICE_SERVERS_DTLS', 'warning']]);
});

it('provokes every finding that there is of this kind', () => {
  expect(provoked.missing(Object.keys(iceServersCatalog))).toEqual([]);
});
