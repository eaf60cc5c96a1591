import type {
  DoctorFinding,
  DoctorReport,
  NotExamined,
  Symptom,
  SymptomReport,
} from '../../model/doctor-report.ts';
import { symptoms } from '../../model/doctor-report.ts';
import { sameAddress, scopeOf } from '../../model/endpoint.ts';
import { configCatalog } from '../../model/catalog/config.ts';
import { noAudio, restart } from '../../model/catalog/entry.ts';
import { exitCode } from '../../model/error.ts';
import { headlineFor, wordsOf, type Finding } from '../../model/finding.ts';
import type { Report, Verdict } from '../../model/report.ts';
import { subjectKey } from '../../model/subject.ts';
import { isTurn } from '../../model/turn-uri.ts';
import { isHardening } from './hardening.ts';
import type { UnseenThing } from './server.ts';
import { startedBy, type Starter } from './starter.ts';
import { adviceFor } from './symptom.ts';
import { everyone, isFelt, isOfSymptom, treesOf, type Branch, type Sighting } from './tree.ts';

/** What a look at the server itself found, by all who judge it: its configuration, firewall, log and processes. */
export interface ServerSide {
  /** `this machine`, `root@203.0.113.10`. */
  readonly name: string;
  /** Its own addresses, and those under which clients know it. */
  readonly addresses: readonly string[];
  readonly findings: readonly Finding[];
  /** What could not be seen there, with the reason. */
  readonly notExamined: readonly UnseenThing[];
  /** What starts coturn there, where that is not its usual unit. */
  readonly starter: Starter | null;
}

/** What a probe from here found, and what the network here is like. */
export interface ClientSide {
  readonly probe: Report;
  readonly network: readonly Finding[];
}

export interface DoctorQuestion {
  readonly server: ServerSide | null;
  readonly client: ClientSide | null;
  /** What is wrong with what an application gives to its browsers. */
  readonly application: readonly Finding[];
  /** What was left out because it was not asked for. */
  readonly leftOut: readonly NotExamined[];
  readonly symptom: Symptom | null;
  readonly failOn: 'error' | 'warning';
}

export type Diagnosis = Pick<
  DoctorReport,
  'verdict' | 'headline' | 'exitCode' | 'symptom' | 'findings' | 'notExamined'
>;

/** From all that was found to what is wrong. Deterministic: the same findings give the same diagnosis. */
export function diagnose(question: DoctorQuestion): Diagnosis {
  const { server, client, application, symptom, failOn } = question;
  const ofApplication = application.map((finding): Sighting => ({
    finding,
    side: 'client',
    place: subjectKey(finding.subject),
  }));
  const trees = treesOf([...sightingsOf(server, client), ...ofApplication], symptom);
  const notExamined = [...openQuestions(server, client), ...fromOutside(client), ...question.leftOut];
  const verdict = verdictOf(trees, client, notExamined);
  const isWarned = trees.some(({ finding: { severity } }) => severity === 'warning');
  const isBad = trees.some(({ finding: { severity } }) => severity === 'error');
  const fails = isBad || verdict === 'broken' || verdict === 'unknown' || (failOn === 'warning' && isWarned);
  const findings = numbered(trees, {
    starter: server?.starter ?? null,
    publicAddress: publicAddressOf(client),
  });
  return {
    verdict,
    headline: headlineOf(verdict, trees, question, notExamined),
    exitCode: fails ? exitCode.findings : exitCode.healthy,
    symptom: symptom === null ? null : symptomReport(symptom, trees, findings),
    findings,
    notExamined,
  };
}

/** Both sides' findings, each at its place. All that the server side found is at the one server that it looked at. */
function sightingsOf(server: ServerSide | null, client: ClientSide | null): Sighting[] {
  const machine = 'machine';
  const isMachine = machineTest(server, client);
  const placeOf = ({ subject }: Finding): string => {
    if (subject.kind === 'server' && isMachine(subject.address)) return machine;
    if (subject.kind === 'name' && isMachineName(subject.host, client, isMachine)) return machine;
    return subjectKey(subject);
  };
  const isProbed = (address: string): boolean =>
    client?.probe.targets.some((target) => target.address === address) ?? false;
  const ofServer = (server?.findings ?? []).map((finding): Sighting => ({
    finding,
    side: 'server',
    // What is about an address that was probed is at that one: its name may lead to another machine.
    place:
      finding.subject.kind === 'server' && isProbed(finding.subject.address) ? placeOf(finding) : machine,
  }));
  const ofClient = [...(client?.network ?? []), ...(client?.probe.findings ?? [])].map(
    (finding): Sighting => ({ finding, side: 'client', place: placeOf(finding) }),
  );
  return [...ofServer, ...ofClient];
}

/**
 * Whether an address that was probed is that of the server that was looked at. Where none of them is known to be, it
 * stands behind an address that it does not know itself (a cloud), and what was asked for together belongs together.
 */
function machineTest(server: ServerSide | null, client: ClientSide | null): (address: string) => boolean {
  if (server === null) return () => false;
  const isOwn = (address: string): boolean => server.addresses.some((own) => sameAddress(own, address));
  const isKnown = client?.probe.targets.some(({ address }) => isOwn(address)) ?? false;
  return isKnown ? isOwn : () => true;
}

function isMachineName(
  host: string,
  client: ClientSide | null,
  isMachine: (address: string) => boolean,
): boolean {
  return client?.probe.targets.some((target) => target.host === host && isMachine(target.address)) ?? false;
}

function openQuestions(server: ServerSide | null, client: ClientSide | null): NotExamined[] {
  const isServed = client?.probe.verdict === 'healthy' && fromOutside(client).length === 0;
  return [
    ...(server?.notExamined ?? []).map(({ what, because, isRequired, isShownFromOutside }) => ({
      ...{ what, because, how: null },
      isRequired: isRequired && !(isServed && isShownFromOutside === true),
    })),
    ...(client?.probe.open ?? []).map((because) => ({
      what: 'from here',
      because,
      how: null,
      isRequired: true,
    })),
  ];
}

/** What a probe that stands too close does not show. */
function fromOutside(client: ClientSide | null): NotExamined[] {
  const near = client?.probe.findings.find(({ code }) => code === 'VANTAGE_TOO_CLOSE');
  if (near?.code !== 'VANTAGE_TOO_CLOSE' || near.evidence.provenBy !== null) return [];
  const where =
    near.evidence.vantage === 'same-host' ? 'on the server itself' : 'in the network of the server';
  return [
    {
      what: 'the way from the internet to the server',
      because: `this ran ${where}`,
      how: 'run it again from another network',
      isRequired: false,
    },
  ];
}

function verdictOf(
  trees: readonly Branch[],
  client: ClientSide | null,
  notExamined: readonly NotExamined[],
): Verdict {
  const ofService = trees.filter(({ finding: { code } }) => !isHardening(code));
  const errors = ofService.filter(({ finding: { severity } }) => severity === 'error');
  // What lies in the network here keeps the server out of sight.
  const isHidden = errors.length > 0 && errors.every(({ finding: { subject } }) => subject.kind === 'client');
  if (isHidden) return 'unknown';
  const seen = client?.probe.verdict ?? null;
  if (errors.length > 0) {
    if (errors.some(({ finding: { code } }) => keepsBrowsersAway.has(code))) return 'broken';
    if (seen === 'healthy' || seen === 'degraded') return 'degraded';
    if (seen === 'broken') return 'broken';
    return errors.some(stopsService) ? 'broken' : seen === null ? 'degraded' : 'unknown';
  }
  if (seen === 'unknown' || notExamined.some(({ isRequired }) => isRequired)) return 'unknown';
  const isServiceWarned = ofService.some(
    ({ finding: { severity, subject } }) => severity === 'warning' && subject.kind !== 'client',
  );
  const isUnsafe = trees.some(({ finding: { severity } }) => severity === 'error');
  return seen === 'degraded' || isServiceWarned || isUnsafe ? 'degraded' : 'healthy';
}

/** Whether users do without the relay, or a part of it, because of this: it does so by itself, or something below it does. */
function stopsService(branch: Branch): boolean {
  return everyone(branch).some((each) => headlineFor(each) !== null || isOutage(each));
}

/** What a look at the server shows to keep users from it, though no probe says so. */
function isOutage({ code }: Finding): boolean {
  return outages.has(code);
}

const outages: ReadonlySet<string> = new Set<Finding['code']>([
  'FIREWALL_BLOCKS_LISTENER',
  'FIREWALL_BLOCKS_RELAY',
  'FIREWALL_BLOCKS_OUTSIDE',
  'LISTENER_MISSING',
  'LISTENER_ELSEWHERE',
  'LISTENER_OTHER_PROGRAM',
  'COTURN_NOT_RUNNING',
  'CONFIG_NOT_READ',
  'CONFIG_PREVENTS_START',
  'CONFIG_UNREADABLE',
  'OPEN_RELAY_CONFIGURED',
  'LOG_CONFIG_NOT_READ',
  'EXTERNAL_IP_MISSING',
  'EXTERNAL_IP_PRIVATE',
  'EXTERNAL_IP_REPEATED',
  'RELAY_PORTS_INVERTED',
  'DENIED_RANGE_BOUNDLESS',
]);

/** A browser does not get as far as the server, however well that serves. */
const keepsBrowsersAway: ReadonlySet<Finding['code']> = new Set<Finding['code']>([
  'ICE_SERVERS_REFUSED',
  'ICE_SERVERS_DTLS',
  'ICE_SERVERS_WITHOUT_TURN',
]);

function headlineOf(
  verdict: Verdict,
  trees: readonly Branch[],
  { server, client, symptom }: DoctorQuestion,
  notExamined: readonly NotExamined[],
): string {
  const top = trees.find(({ finding: { severity } }) => severity !== 'info');
  const title = top === undefined ? null : wordsOf(top.finding).title;
  switch (verdict) {
    case 'healthy':
      return healthy(server, client, trees);
    case 'broken':
      return sentence(title ?? '', consequence(top, symptom, client));
    case 'degraded':
      if (client?.probe.verdict === 'degraded' && top !== undefined && isFelt(top)) {
        const { headline } = client.probe;
        // It may say the title itself.
        return headline.startsWith('works, but') || headline.includes('but')
          ? `works, but: ${title}`
          : `${title}: ${headline}`;
      }
      if (top !== undefined && isHardening(top.finding.code))
        return `works, but others can misuse it: ${title}`;
      return client === null ? `${title}` : `works from here, but: ${title}`;
    case 'unknown': {
      if (top?.finding.severity === 'error') return `${title}, so nothing is known about the server`;
      const [first, ...more] = notExamined.filter(({ isRequired }) => isRequired);
      if (first === undefined) return client?.probe.headline ?? 'nothing was examined';
      return `${first.because}${more.length === 0 ? '' : ` (and ${more.length} more)`}`;
    }
    default:
      return verdict satisfies never;
  }
}

function healthy(server: ServerSide | null, client: ClientSide | null, trees: readonly Branch[]): string {
  const toHarden = trees.filter(
    ({ finding: { code, severity } }) => isHardening(code) && severity !== 'info',
  ).length;
  const rest = toHarden === 0 ? '' : `; ${toHarden} ${toHarden === 1 ? 'thing' : 'things'} to harden`;
  if (client === null) return `nothing is wrong on the server, as far as it can be seen there${rest}`;
  return `${client.probe.headline}${server === null ? '' : ', and nothing is wrong on the server'}${rest}`;
}

/** What users feel: in their own words where this is what they complain of. Null where it says no more than the fault itself. */
function consequence(
  top: Branch | undefined,
  symptom: Symptom | null,
  client: ClientSide | null,
): string | null {
  if (top === undefined) return null;
  if (symptom !== null && isOfSymptom(top, symptom)) return symptoms[symptom];
  const felt = everyone(top)
    .flatMap((each) => headlineFor(each) ?? [])
    .find((text) => /^(users|calls|new calls|anyone)\b/.test(text));
  if (felt !== undefined) return felt;
  return client === null || client.probe.targets.length === 0 || client.probe.targets.some(isTurn)
    ? noAudio
    : null;
}

function sentence(title: string, follows: string | null): string {
  // An open relay says in its title whom it is open to.
  const isSaid = follows?.startsWith('anyone') === true && title.includes('anyone');
  return follows === null || isSaid ? title : `${title}: ${follows}`;
}

/** The address at which clients are served; null where there is none, or several. */
function publicAddressOf(client: ClientSide | null): string | null {
  const served = (client?.probe.targets ?? []).flatMap(({ address, family, observations: { challenge } }) =>
    challenge.state === 'done' && family === 4 && scopeOf(address) === 'global' ? [address] : [],
  );
  const [first = null, second] = new Set(served);
  return second === undefined ? first : null;
}

/** What a fix is put in the words of. */
interface Place {
  readonly starter: Starter | null;
  readonly publicAddress: string | null;
}

function numbered(trees: readonly Branch[], place: Place): DoctorFinding[] {
  const findings: DoctorFinding[] = [];
  const add = ({ finding, seenFrom, effects }: Branch, causeId: number | null): void => {
    const { fix, ...words } = wordsOf(finding);
    const id = findings.length + 1;
    findings.push({
      id,
      causeId,
      ...finding,
      ...words,
      fix: fixAt(place, finding, fix).join('\n'),
      seenFrom,
      isHardening: isHardening(finding.code),
    });
    for (const effect of effects) add(effect, id);
  };
  for (const tree of trees) add(tree, null);
  return findings;
}

function fixAt(
  { starter, publicAddress }: Place,
  finding: Finding,
  fix: readonly string[],
): readonly string[] {
  const lines = inForce(finding, fix);
  const own =
    publicAddress === null ? lines : lines.map((line) => line.replace('=PUBLIC/', `=${publicAddress}/`));
  return startedBy(own, starter);
}

const ofConfigurations: ReadonlySet<string> = new Set(Object.keys(configCatalog));

/** coturn reads its configuration at its start alone. A lint leaves that out, as the file may not be in use. */
function inForce({ code }: Finding, fix: readonly string[]): readonly string[] {
  const isTold = fix.some((line) => /systemctl (?:restart|kill)/.test(line));
  return ofConfigurations.has(code) && !isTold ? [...fix, restart] : fix;
}

function symptomReport(
  symptom: Symptom,
  trees: readonly Branch[],
  findings: readonly DoctorFinding[],
): SymptomReport {
  const roots = findings.filter(({ causeId }) => causeId === null);
  const explaining = trees.flatMap((tree, index) =>
    tree.finding.severity !== 'info' && isOfSymptom(tree, symptom) ? [roots[index]?.id ?? 0] : [],
  );
  const isBroken = trees.some(
    ({ finding: { code, severity } }) => severity === 'error' && !isHardening(code),
  );
  return {
    id: symptom,
    text: symptoms[symptom],
    explainedBy: explaining,
    advice:
      explaining.length > 0
        ? null
        : isBroken
          ? 'mend what stands below, and run this again'
          : adviceFor(symptom),
  };
}
