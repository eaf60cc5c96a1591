import { finding, type Finding } from '../../model/finding.ts';
import type { ServerFacts } from '../../model/server-facts.ts';

// Clients and servers differ by a second or two as a rule; credentials live for minutes at least.
const skewMs = 10_000;
const grossSkewMs = 60_000;
const filesUsed = 0.8;
const diskLeft = 0.02;
const diskLeftKb = 100_000;
const memoryLeft = 0.05;
const conntrackUsed = 0.8;
// Below that nobody hears it: 0.1 % of loss.
const dropShare = 0.001;
const fewestDrops = 1000;

/** What the machine is short of, and its clock. */
export function machineFindings(facts: ServerFacts, host: string): Finding[] {
  return [
    ...clockFindings(facts, host),
    ...fileFindings(facts, host),
    ...diskFindings(facts, host),
    ...memoryFindings(facts, host),
    ...conntrackFindings(facts, host),
    ...udpFindings(facts, host),
  ];
}

function clockFindings({ clock }: ServerFacts, host: string): Finding[] {
  if (clock.state === 'unknown') return [];
  const { offsetMs, uncertaintyMs, isSynchronized } = clock.value;
  const certainMs = Math.abs(offsetMs) - uncertaintyMs;
  if (certainMs >= skewMs) {
    const severity = certainMs >= grossSkewMs ? 'error' : 'warning';
    return [finding('CLOCK_SKEW', { host, offsetMs, uncertaintyMs, isSynchronized }, { severity })];
  }
  return isSynchronized === false ? [finding('CLOCK_NOT_SYNCHRONIZED', { host })] : [];
}

function fileFindings({ daemons, unit }: ServerFacts, host: string): Finding[] {
  if (daemons.state === 'unknown') return [];
  return daemons.value.flatMap(({ pid, files }) => {
    if (files.state === 'unknown' || files.value.open < files.value.limit * filesUsed) return [];
    const { open, limit } = files.value;
    const isMain = unit.state === 'seen' && unit.value?.mainPid === pid;
    const name = isMain ? (unit.value?.name ?? null) : null;
    const severity = open >= limit * 0.95 ? 'error' : 'warning';
    return [finding('FILE_LIMIT_REACHED', { host, pid, open, limit, unit: name }, { severity })];
  });
}

function diskFindings({ limits: { disks } }: ServerFacts, host: string): Finding[] {
  if (disks.state === 'unknown') return [];
  const full = disks.value.filter(
    ({ sizeKb, availableKb }) => sizeKb > 0 && availableKb < Math.min(diskLeftKb, sizeKb * diskLeft),
  );
  if (full.length === 0) return [];
  const availableKb = Math.max(0, Math.min(...full.map((each) => each.availableKb)));
  return [finding('DISK_FULL', { host, mounts: full.map(({ mount }) => mount), availableKb })];
}

function memoryFindings({ limits: { memory } }: ServerFacts, host: string): Finding[] {
  if (memory.state === 'unknown') return [];
  const { totalKb, availableKb } = memory.value;
  return availableKb < totalKb * memoryLeft ? [finding('MEMORY_LOW', { host, totalKb, availableKb })] : [];
}

function conntrackFindings({ limits: { conntrack } }: ServerFacts, host: string): Finding[] {
  if (conntrack.state === 'unknown' || conntrack.value === null) return [];
  const { count, max } = conntrack.value;
  if (max === 0 || count < max * conntrackUsed) return [];
  const severity = count >= max * 0.98 ? 'error' : 'warning';
  return [finding('CONNTRACK_NEARLY_FULL', { host, count, max }, { severity })];
}

function udpFindings({ limits: { udp } }: ServerFacts, host: string): Finding[] {
  if (udp.state === 'unknown') return [];
  const { received, bufferErrors: dropped } = udp.value;
  if (dropped < fewestDrops || dropped < (received + dropped) * dropShare) return [];
  return [finding('UDP_BUFFER_DROPS', { host, received, dropped })];
}
