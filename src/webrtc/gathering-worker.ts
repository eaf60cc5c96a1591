import { Secret } from '../model/secret.ts';
import { gatherCandidates, type GatheringRequest } from './gathering.ts';
import { loadNative } from './native.ts';
import { serve } from './worker.ts';

/** As `GatheringRequest`, but plain data: a Secret does not survive the way into another process. */
export type GatheringOrder = Omit<GatheringRequest, 'turn'> & {
  readonly turn: {
    readonly server: NonNullable<GatheringRequest['turn']>['server'];
    readonly credential: { readonly username: string; readonly password: string };
  } | null;
};

serve(({ turn, ...request }: GatheringOrder, { signal }) =>
  gatherCandidates(
    {
      ...request,
      turn: turn && {
        server: turn.server,
        credential: {
          username: turn.credential.username,
          password: new Secret(turn.credential.password),
        },
      },
    },
    signal,
  ),
);
// Loaded while the parent still thinks; a failure is told when gathering needs it.
loadNative().catch(() => {});
