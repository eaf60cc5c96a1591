import { isIP } from 'node:net';
import type { DoctorFacts } from '../model/doctor-facts.ts';
import type { NotExamined, Symptom } from '../model/doctor-report.ts';
import { scopeOf } from '../model/endpoint.ts';
import { RtcOpsError } from '../model/error.ts';
import type { Secret } from '../model/secret.ts';
import { isTurn } from '../model/turn-uri.ts';
import { interfaceAddresses } from '../probes/interfaces.ts';
import type { Witness } from '../probes/server/witness.ts';
import type { CommandContext } from './context.ts';
import type { Login } from './deployment/options.ts';
import {
  clientQuestion,
  examineFromHere,
  type ClientOptions,
  type ClientQuestion,
  type GivenQuestion,
} from './doctor-client.ts';
import { secretsOf } from './server-secrets.ts';
import { sshLogin, type SshLogin } from './doctor-login.ts';
import { examineServer, type ServerExamination } from './doctor-server.ts';
import { criteriaOf } from './probe-criteria.ts';
import { progressLine, type ProgressLine } from './progress.ts';
import { ownCredential, promisedService } from './promised-service.ts';

export interface ExaminationOptions extends ClientOptions {
  readonly local?: boolean;
  readonly host?: readonly Login[];
  readonly privateKey?: string;
  readonly sshCommonArgs?: string;
  readonly sudo?: boolean;
}

export interface Examination {
  readonly facts: DoctorFacts;
  /** What was seen or used on the way, and must be kept nowhere. */
  readonly secrets: readonly Secret[];
}

/**
 * Looks at all that was asked for: the server from within, from here, and both at once.
 * @throws RtcOpsError `usage`, `configuration`, `tool-failed` where ssh does not get there
 */
export async function examine(
  urls: readonly string[],
  options: ExaminationOptions,
  symptom: Symptom | null,
  context: CommandContext,
): Promise<Examination> {
  const startedAt = context.now();
  const origin = performance.now();
  const place = placeOf(options);
  const given = await clientQuestion(urls, options, context);
  if (place === null && given.uris === null && given.iceServers === null) {
    throw new RtcOpsError(
      'usage',
      'nothing to examine: no URL, no --host and no --local was given, and there is no rtc-ops.yaml here or above',
      { hint: 'For example: rtc-ops doctor turn.example.com --secret-file secret.txt' },
    );
  }
  const progress = await progressLine(options, context);
  // At the same time as the look at the server, which takes as long.
  const witness = place?.kind === 'ssh' ? await beginWitness(place.login, options, context) : null;
  try {
    const server = place === null ? null : await lookInside(place, options, progress, context);
    const question = await withServer(given, server, place, context);
    const seen = await seenFromHere(question, { witness, options, progress }, context);
    const facts = {
      startedAt: startedAt.toISOString(),
      durationMs: Math.round(performance.now() - origin),
      symptom,
      iceServers: given.iceServers,
      server: server && { evidence: server.evidence, lint: server.lint },
      ...seen,
      leftOut: leftOut(question, { server, place, options }),
    };
    const password = question?.credential?.password;
    return {
      facts,
      secrets: [
        ...(server === null ? [] : secretsOf(server.facts)),
        ...(password === undefined ? [] : [password]),
      ],
    };
  } finally {
    witness?.close();
    progress.stop();
  }
}

/** Where the server is that is looked at from within. */
type Place =
  { readonly kind: 'here' } | { readonly kind: 'ssh'; readonly address: string; readonly login: SshLogin };

/** @throws RtcOpsError `usage` */
function placeOf({ local, host, privateKey, sshCommonArgs, sudo }: ExaminationOptions): Place | null {
  if (local === true && host !== undefined)
    throw new RtcOpsError('usage', '--local and --host exclude each other');
  const [login, second] = host ?? [];
  if (second !== undefined) {
    throw new RtcOpsError('usage', 'one server is examined at a time, and --host was given twice', {
      hint: 'Run it once for each host.',
    });
  }
  if (login !== undefined)
    return {
      kind: 'ssh',
      address: login.address,
      login: sshLogin(login, {
        ...(privateKey !== undefined && { privateKey }),
        ...(sshCommonArgs !== undefined && { sshCommonArgs }),
      }),
    };
  const stray =
    (privateKey !== undefined && '--private-key') || (sshCommonArgs !== undefined && '--ssh-common-args');
  if (stray !== false) throw new RtcOpsError('usage', `${stray} is for --host`);
  if (sudo === true && local !== true) throw new RtcOpsError('usage', '--sudo is for --local and --host');
  return local === true ? { kind: 'here' } : null;
}

async function lookInside(
  place: Place,
  { sudo }: ExaminationOptions,
  progress: ProgressLine,
  context: CommandContext,
): Promise<ServerExamination> {
  const [host, sshOptions] = place.kind === 'ssh' ? [place.login.host, place.login.options] : [null, []];
  progress.show(host === null ? 'this machine' : `${host} by ssh`);
  return examineServer({ host, sshOptions, ...(sudo === true && { sudo }) }, context);
}

interface Around {
  readonly place: Place | null;
  readonly options: ExaminationOptions;
}

/** What was named; else what the server promises. Where no credentials were given, its own secret makes one. */
async function withServer(
  given: GivenQuestion,
  server: ServerExamination | null,
  place: Place | null,
  context: CommandContext,
): Promise<Question | null> {
  const own =
    given.credential === null && server !== null ? ownCredential(server.facts, context.now()) : null;
  const credential = given.credential ?? own;
  const credentialIsOfServer = own !== null;
  if (given.uris !== null)
    return { ...given, uris: given.uris, credential, credentialIsOfServer, nameIsGuessed: false };
  if (server === null || place === null) return null;
  const promised = promisedService(server.facts, await dialledName(place, context));
  if (promised === null || promised.uris.length === 0) return null;
  return {
    ...given,
    uris: promised.uris,
    credential,
    servername: given.servername ?? promised.servername,
    credentialIsOfServer,
    nameIsGuessed: given.servername === null && promised.servername !== null,
  };
}

/** Where ssh went to; null for this machine. A name without a dot is mostly one of the configuration of ssh alone. */
async function dialledName(place: Place, { signal }: CommandContext): Promise<string | null> {
  if (place.kind === 'here') return null;
  const { address, login } = place;
  if (isIP(address) !== 0 || address.includes('.')) return address;
  const { sshTarget } = await import('../probes/server/ssh-target.ts');
  return (await sshTarget(login.host, login.options, signal)) ?? address;
}

interface Question extends ClientQuestion {
  readonly credentialIsOfServer: boolean;
  /** The certificate is checked for the name that it has itself. */
  readonly nameIsGuessed: boolean;
}

interface FromHere {
  readonly witness: Witness | null;
  readonly options: ExaminationOptions;
  readonly progress: ProgressLine;
}

async function seenFromHere(
  question: Question | null,
  { witness, options, progress }: FromHere,
  context: CommandContext,
): Promise<Pick<DoctorFacts, 'client' | 'witness'>> {
  if (question === null) return { client: null, witness: null };
  if (witness !== null) {
    progress.show('a capture on the server');
    await witness.begun;
  }
  const { observations, network } = await examineFromHere(question, options, progress, context);
  const criteria = criteriaOf({}, context.now());
  if (witness !== null) progress.show('the capture on the server');
  const { credential } = observations;
  const users = credential.source === 'none' ? [] : [credential.username];
  return {
    client: { observations, network, criteria: { ...criteria, now: criteria.now.toISOString() } },
    witness: witness === null ? null : await witness.finish(users),
  };
}

async function beginWitness(
  { host, options: sshOptions }: SshLogin,
  { sudo }: ExaminationOptions,
  { now, signal }: CommandContext,
): Promise<Witness> {
  const { startWitness } = await import('../probes/server/witness.ts');
  const clients = interfaceAddresses()
    .map(({ address }) => address)
    .filter((address) => !['loopback', 'link-local'].includes(scopeOf(address)));
  return startWitness({ host, sshOptions, clients, elevate: sudo === true, now, signal });
}

/** What nobody asked for or what could not be asked, and what would show it. */
function leftOut(
  question: Question | null,
  { server, place, options }: Around & { readonly server: ServerExamination | null },
): NotExamined[] {
  const left = (what: string, because: string, how: string | null): NotExamined => ({
    what,
    because,
    how,
    isRequired: false,
  });
  const uris = question?.uris ?? [];
  const isElsewhere = uris.some(({ host }) => host !== 'localhost' && !/^(127\.|::1$)/.test(host));
  const hasTurn = uris.some(isTurn);
  const hasCredential = (question?.credential ?? null) !== null;
  const how = isElsewhere ? 'add --host USER@SERVER, or run it there with --local' : 'add --local';
  return [
    ...(place === null ? [left('the server itself', 'it was looked at from here only', how)] : []),
    ...(question === null
      ? [left('the server from here', 'where it listens is not known', 'add its URL')]
      : []),
    ...(server !== null && !server.facts.isRoot && options.sudo !== true
      ? [left('what only root sees there', 'this was not root', 'log in as root, or add --sudo')]
      : []),
    ...(hasTurn && !hasCredential
      ? [
          left(
            'the relay and calls',
            server === null
              ? 'no credentials were given'
              : 'no credentials were given, and the server shows none',
            'add --secret-file, or --username and --password',
          ),
        ]
      : []),
    ...(hasTurn && hasCredential && !options.call ? [left('a call', '--no-call forbids it', null)] : []),
    ...(question?.credentialIsOfServer === true && hasTurn
      ? [
          left(
            'the credentials of your application',
            'this logged in with one made from what the configuration of the server holds',
            'add --secret-file or --username as your application has them',
          ),
        ]
      : []),
    ...(question?.nameIsGuessed === true
      ? [
          left(
            'the name that clients dial',
            `the certificate was checked for ${question.servername}, which it names itself`,
            'add the URL that clients have',
          ),
        ]
      : []),
  ];
}
