import { accessBreakages } from './breakages-access.ts';
import { networkBreakages } from './breakages-network.ts';
import { serviceBreakages } from './breakages-service.ts';
import type { Breakage } from './breakage.ts';

/** Every way in which the tests break a healthy service. */
export const breakages: readonly Breakage[] = [...networkBreakages, ...accessBreakages, ...serviceBreakages];
