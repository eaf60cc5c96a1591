import type { Config, Host } from '../../config/config.ts';
import { urisOfHost } from '../../config/host-uri.ts';
import { ownUsers } from '../../model/own-user.ts';
import { describeFailure } from '../../model/failure.ts';
import type { TargetFacts } from '../../model/observations.ts';
import type { Secret } from '../../model/secret.ts';
import type { CommandContext } from '../context.ts';

/** What the listeners of a host say to credentials made with a secret; `unknown` where one says neither. */
export type LoginAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unknown'; readonly because: string };

const timeoutMs = 5000;

/** Logs in at every listener of a host with a credential that is made with a secret. */
export async function checkLogin(
  { host, config, secret }: { readonly host: Host; readonly config: Config; readonly secret: Secret },
  context: CommandContext,
): Promise<LoginAnswer> {
  const [{ probe }, { issueCredential }] = await Promise.all([
    import('../../probes/probe.ts'),
    import('../../credentials/issue.ts'),
  ]);
  const user = ownUsers.rotation;
  const { username, password } = issueCredential({ secret, user, ttlSeconds: 86_400, now: context.now() });
  const { targets } = await probe({
    uris: urisOfHost(host.name, config),
    controls: [],
    transports: null,
    families: null,
    credential: { source: 'secret', username, password },
    callDurationMs: null,
    nat: null,
    timeoutMs,
    concurrency: 6,
    env: context.env,
    now: context.now,
    signal: context.signal,
    onProgress: () => {},
  });
  return answerOf(targets);
}

/** Several listeners that say different things are of one coturn each. */
export function answerOf(targets: readonly Pick<TargetFacts, 'allocate'>[]): LoginAnswer {
  const answers = targets.map(({ allocate }): LoginAnswer => {
    if (allocate.state === 'done') return { kind: 'accepted' };
    if (allocate.state === 'not-tried') return { kind: 'unknown', because: allocate.because };
    const { failure } = allocate;
    // RFC 8489 §9.2.4: what coturn says to a credential that is of no secret it knows.
    if (failure.kind === 'stun-error' && failure.code === 401) return { kind: 'refused' };
    return { kind: 'unknown', because: describeFailure(failure) };
  });
  const [first] = answers;
  if (first === undefined) return { kind: 'unknown', because: 'no listener of it was found' };
  const other = answers.find(({ kind }) => kind !== first.kind);
  if (other === undefined) return first;
  const because = 'its listeners do not agree';
  return answers.find(({ kind }) => kind === 'unknown') ?? { kind: 'unknown', because };
}
