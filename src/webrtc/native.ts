import { reasonOf } from '../model/error.ts';

/** The native module. Its types come with it; the code is loaded when first needed (10–18 ms). */
export type NativeModule = typeof import('node-datachannel');

let loading: Promise<NativeModule> | null = null;

export async function loadNative(): Promise<NativeModule> {
  loading ??= import('node-datachannel');
  return loading;
}

/*
 * When the garbage collector takes the wrapper of a data channel or track, the library closes the channel under our
 * feet and goes on using the freed wrapper (31 of 32 runs crashed or hung). So everything native stays referenced
 * until the process ends, and the library's cleanup() is never called.
 */
const kept = new Set<object>();

/** Keeps a native object for as long as the process lives. */
export function keep<T extends object>(object: T): T {
  kept.add(object);
  return object;
}

/**
 * Wraps a function for use as a native callback: an exception that leaves one aborts the process, so it goes to
 * `onError` instead.
 */
export function guarded<Arguments extends unknown[]>(
  callback: (...args: Arguments) => void,
  onError: (error: Error) => void,
): (...args: Arguments) => void {
  return (...args) => {
    try {
      callback(...args);
    } catch (error) {
      onError(error instanceof Error ? error : new Error(reasonOf(error)));
    }
  };
}
