import { accessBreakages } from './breakages-access.ts';
import { networkBreakages } from './breakages-network.ts';
import { serviceBreakages } from './breakages-service.ts';
import type { Breakage } from './breakage.ts';

/** Every way in which the tests break a healthy service. */
export const breakages: readonly Breakage[] = [...networkBreakages, ...accessBreakages, ...serviceBreakages];

/** The causes that recur and are not produced here, each with the reason, and with what tells it all the same. */
export const notProduced: readonly { readonly cause: string; readonly why: string; readonly told: string }[] =
  [
    {
      cause: 'native-sdk-root-store',
      why: 'it takes a public certificate authority, and an app with roots of its own',
      told: 'LOG_TLS_HANDSHAKES_FAILED, from the log; CAPTURE_TLS_ALERT, from a capture',
    },
  ];
