import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { seenCatalog } from '../../src/model/catalog/audit.ts';
import { auditCatalog } from '../../src/model/catalog/audit-listener.ts';
import { clientNetworkCatalog } from '../../src/model/catalog/client-network.ts';
import { configCatalog } from '../../src/model/catalog/config.ts';
import { iceServersCatalog } from '../../src/model/catalog/ice-servers.ts';
import { nativeRootCatalog } from '../../src/model/catalog/native-root.ts';
import { firewallCatalog } from '../../src/model/catalog/firewall.ts';
import { findingCodes, machineCatalog, recordedCallCatalog } from '../../src/model/finding.ts';
import { captureMediaCatalog } from '../../src/model/catalog/capture-media.ts';
import { captureTurnCatalog } from '../../src/model/catalog/capture-turn.ts';
import { recordingJoinCatalog } from '../../src/model/catalog/recording-join.ts';
import { serverLogServiceCatalog } from '../../src/model/catalog/server-log-service.ts';
import { serverLogSessionCatalog } from '../../src/model/catalog/server-log-session.ts';
import { witnessCatalog } from '../../src/model/catalog/server-witness.ts';
import { faultCodes } from './faults.ts';

/** Which tests hold that a rule gives each code: by a case for each, or by what a rule gave in them. */
const held: readonly (readonly [file: string, by: string, codes: readonly string[]])[] = [
  ['rules/judgement.faults.test.ts', 'it.each(faultCodes)', faultCodes],
  ['rules/doctor/server.test.ts', 'it.each(Object.keys(machineCatalog)', Object.keys(machineCatalog)],
  ['coturn/lint/lint.test.ts', 'Record<ConfigFindingCode, Pair>', Object.keys(configCatalog)],
  ...[
    ['rules/audit.test.ts', { ...seenCatalog, ...auditCatalog }] as const,
    ['rules/doctor/client-network.test.ts', clientNetworkCatalog] as const,
    ['rules/doctor/ice-servers.test.ts', iceServersCatalog] as const,
    ['rules/doctor/native-root.test.ts', nativeRootCatalog] as const,
    ['rules/doctor/witness.test.ts', witnessCatalog] as const,
    ['rules/firewall/judgement.test.ts', firewallCatalog] as const,
    [
      'rules/analysis/server-log.test.ts',
      { ...serverLogServiceCatalog, ...serverLogSessionCatalog },
    ] as const,
    ['rules/analysis/packets.test.ts', { ...captureTurnCatalog, ...captureMediaCatalog }] as const,
    ['rules/analysis/alignment.test.ts', recordingJoinCatalog] as const,
    // Those that it misses are in the list of the next one.
    ['rules/analysis/calls.test.ts', recordedCallCatalog] as const,
    ['rules/analysis/join.test.ts', {}] as const,
  ].map(([file, catalog]) => [file, 'provoked.missing(', Object.keys(catalog)] as const),
];

it('every code is provoked by a test that holds so', async () => {
  const codes = new Set(held.flatMap(([, , each]) => each));
  expect(findingCodes.filter((code) => !codes.has(code))).toEqual([]);
  for (const [file, by] of held) {
    expect(await readFile(new URL(`../${file}`, import.meta.url), 'utf8')).toContain(by);
  }
});
