import { structuredPatch } from 'diff';
import type { HostPlan, PlanStep } from '../model/deployment.ts';
import { configPath, type FileFacts, type HostFacts } from './host-facts.ts';

/** A file as it is to be; `text` is without secrets, as that of FileFacts. */
export interface WantedFile extends FileFacts {
  readonly path: string;
  /** Whether it is the same on every host: nothing to read where it is new. */
  readonly isConstant: boolean;
}

/** What a deployment wants of a host. */
export interface WantedState {
  /** Every file that the role may write; what a host is not to have is absent here. */
  readonly files: readonly WantedFile[];
  /** The names of the certificate that certbot gets; empty for none. */
  readonly certificateNames: readonly string[];
  /** Packages that it lacks, beside coturn. */
  readonly packages: readonly string[];
  readonly kernel: readonly KernelChange[];
}

/** A setting of the kernel that is raised, such as `net.core.rmem_max`. */
export interface KernelChange {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** What a deployment would do to a host, by what is there. Nothing to do is an empty list of steps. */
export function planOf(facts: HostFacts, wanted: WantedState): HostPlan {
  const changes = fileSteps(facts, wanted);
  const files = changes.map((step) => (isSecretChange(step, facts, wanted) ? asSecretStep(step) : step));
  return {
    steps: [
      ...packageSteps(facts, wanted),
      ...files,
      ...kernelSteps(wanted),
      ...secretSteps(facts, files),
      ...firewallSteps(facts, files),
      ...certificateSteps(facts, wanted),
      ...serviceSteps(
        facts,
        files.some(({ kind, title }) => kind === 'file' && restartsFor.test(title)),
      ),
    ],
    notes: [...notesOf(facts), ...secretNotes(facts, wanted)],
  };
}

function packageSteps({ coturn, system }: HostFacts, { packages }: WantedState): PlanStep[] {
  const version = coturn.candidate === null ? '' : ` ${coturn.candidate}`;
  const lacking = [...(coturn.installed === null ? [`coturn${version}`] : []), ...packages];
  return lacking.map((name) => ({
    kind: 'package',
    title: `install ${name} of ${system.name}`,
    diff: null,
  }));
}

function kernelSteps({ kernel }: WantedState): PlanStep[] {
  return kernel.map(({ name, from, to }) => ({
    kind: 'kernel',
    title: `raise ${name} from ${from} to ${to}`,
    diff: null,
  }));
}

function fileSteps({ files: found }: HostFacts, { files }: WantedState): PlanStep[] {
  const changes = files.flatMap((file): PlanStep[] => {
    const before = found[file.path] ?? null;
    if (before === null)
      return [
        { kind: 'file', title: `write ${file.path}`, diff: file.isConstant ? null : patch('', file.text) },
      ];
    const rights = rightsOf(before) === rightsOf(file) ? [] : [`${rightsOf(before)} → ${rightsOf(file)}`];
    if (before.text === file.text && rights.length === 0) return [];
    const title = [`change ${file.path}`, ...rights].join(', ');
    return [
      {
        kind: 'file',
        title,
        diff: before.text === file.text ? null : patch(before.text, file.text),
      },
    ];
  });
  const wanted = new Set(files.map(({ path }) => path));
  const removals = Object.entries(found).flatMap(([path, before]): PlanStep[] =>
    before === null || wanted.has(path)
      ? []
      : [{ kind: 'file', title: `remove ${path}`, diff: patch(before.text, '') }],
  );
  return [...changes, ...removals];
}

const liveSecrets = '/etc/systemd/system/coturn.service.d/rtc-ops-secrets.conf';

/** Whether nothing but secrets changes, in a coturn that takes them while it runs. */
function isSecretChange(
  { title }: PlanStep,
  { files: found, secrets }: HostFacts,
  { files }: WantedState,
): boolean {
  if (title !== `change ${configPath}` || secrets === null || secrets.restart) return false;
  const at = (path: string): readonly [string | undefined, string | undefined] => [
    found[path]?.text,
    files.find((file) => file.path === path)?.text,
  ];
  const [[before, after], [dropIn, wantedDropIn]] = [at(configPath), at(liveSecrets)];
  if (before === undefined || after === undefined || dropIn === undefined || dropIn !== wantedDropIn)
    return false;
  return before.replace(secretLines, '') === after.replace(secretLines, '');
}

const secretLines = /^static-auth-secret=.*\n/gm;

function asSecretStep(step: PlanStep): PlanStep {
  return {
    ...step,
    kind: 'secret',
    title: `${step.title}: only secrets, which coturn takes without a restart`,
  };
}

/** Where the configuration is as it should be, and its secrets are not in the database. */
function secretSteps({ secrets }: HostFacts, files: readonly PlanStep[]): PlanStep[] {
  if (secrets?.applied !== false || files.some(({ kind }) => kind === 'secret')) return [];
  return [{ kind: 'secret', title: 'have coturn take the secrets of its configuration', diff: null }];
}

/** Of a rotation it is the last step, and no surprise. */
export const secretGoes =
  'a secret goes, and with it all credentials that were made with it; rtc-ops rotate-secret keeps it for as long as those are good';

function secretNotes({ files: found }: HostFacts, { files }: WantedState): string[] {
  const secretsIn = (text = ''): string[] => text.match(secretLines) ?? [];
  const before = secretsIn(found[configPath]?.text);
  const after = new Set(secretsIn(files.find(({ path }) => path === configPath)?.text));
  if (after.size === 0 || before.every((secret) => after.has(secret))) return [];
  return [secretGoes];
}

function rightsOf({ owner, group, mode }: FileFacts): string {
  return `${owner}:${group} ${mode}`;
}

/** The changes of a text, each with the lines around it; of a text that is new, its lines. */
function patch(before: string, after: string): string {
  const { hunks } = structuredPatch('', '', before, after, '', '', { context: 2 });
  return hunks
    .flatMap(({ oldStart, newStart, lines }) => [
      ...(before === '' || after === '' ? [] : [`@@ -${oldStart} +${newStart} @@`]),
      ...lines,
    ])
    .join('\n');
}

/** Where the file that says which ports is as it should be, and they are closed: somebody has closed them. */
function firewallSteps({ firewall }: HostFacts, files: readonly PlanStep[]): PlanStep[] {
  const isWritten = files.some(({ title }) => /rtc-ops\.xml|applications\.d|firewall\.rules/.test(title));
  if (!isWritten && firewall.applied !== false) return [];
  if (firewall.backend === 'none') return [];
  return [{ kind: 'firewall', title: `open the ports in ${firewall.backend}`, diff: null }];
}

/** What certbot runs is no part of the service. */
const restartsFor = /turnserver\.conf|coturn\.service\.d/;

function certificateSteps({ certificates }: HostFacts, { certificateNames }: WantedState): PlanStep[] {
  const found = certificates.find(({ lineage }) => lineage === 'rtc-ops')?.names ?? [];
  if (certificateNames.every((name) => found.includes(name))) return [];
  const title = `get a certificate for ${certificateNames.join(', ')} by certbot`;
  return [{ kind: 'certificate', title, diff: null }];
}

function serviceSteps({ coturn, service, secrets }: HostFacts, isChanged: boolean): PlanStep[] {
  const steps: string[] = [];
  if (coturn.installed === null || service.active !== 'active') steps.push('start coturn');
  else if (isChanged || secrets?.restart === true) steps.push('restart coturn: calls that it relays end');
  if (coturn.installed === null || service.enabled !== 'enabled') steps.push('start coturn at each boot');
  return steps.map((title) => ({ kind: 'service', title, diff: null }));
}

const hundredMebibytes = 100 * 2 ** 20;

/** What somebody has to know before it is done. */
function notesOf(facts: HostFacts): string[] {
  const { manager, service, clock, freeBytes } = facts;
  const foreign =
    manager === null || manager === 'rtc-ops' || manager === 'package'
      ? []
      : [
          manager === 'hand'
            ? '/etc/turnserver.conf was written by hand. It is kept, not merged: rtc-ops rollback brings it back.'
            : `/etc/turnserver.conf is written by ${manager}, which may write it again. It is kept; take it out of ${manager}.`,
        ];
  return [
    ...foreign,
    ...(service.enabled === 'masked'
      ? ['the service coturn is masked on this host; a deployment unmasks it']
      : []),
    ...(clock.synchronized === false
      ? ['its clock is not known to be synchronized; credentials end at a time']
      : []),
    ...(freeBytes < hundredMebibytes ? [`/var has only ${Math.floor(freeBytes / 2 ** 20)} MiB left`] : []),
  ];
}
