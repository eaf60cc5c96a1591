import { Secret } from '../model/secret.ts';
import { makeCall, type CallRequest } from './call.ts';
import { loadNative } from './native.ts';
import { serve } from './worker.ts';

/** As `CallRequest`, but plain data: a Secret does not survive the way into another process. */
export type CallOrder = Omit<CallRequest, 'credential'> & {
  readonly credential: { readonly username: string; readonly password: string };
};

serve(({ credential, ...request }: CallOrder, hooks) =>
  makeCall(
    { ...request, credential: { username: credential.username, password: new Secret(credential.password) } },
    hooks,
  ),
);
// Loaded while the parent still thinks; a failure is told when the call needs it.
loadNative().catch(() => {});
