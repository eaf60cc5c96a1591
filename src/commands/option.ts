import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../model/duration.ts';
import { isHost } from '../model/turn-uri.ts';

/** Parsers of option values. Each throws what commander prints together with the option's name. */

// Timers of Node.js hold 2^31 ms; a day is more than any use needs.
const dayMs = 86_400_000;

/** A duration such as `150ms` or `3s`, in milliseconds. */
export function durationOption(leastMs: number, mostMs = dayMs): (text: string) => number {
  return (text) => {
    const ms = parseDuration(text);
    if (ms === null) throw new InvalidArgumentError('Write a duration such as 150ms, 3s, 5m or 12h.');
    if (ms < leastMs || ms > mostMs) {
      throw new InvalidArgumentError(`It must be ${spelled(leastMs)} to ${spelled(mostMs)}.`);
    }
    return ms;
  };
}

/** As one types it: `150ms`, `5s`, `10m`, `24h`. */
function spelled(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  if (ms < 60_000) return `${ms / 1000}s`;
  return ms < 3_600_000 ? `${ms / 60_000}m` : `${ms / 3_600_000}h`;
}

// A NAT binding that is left idle for longer than any pause lasts tells nothing of use.
export const natLifetimeOption = durationOption(5000, 600_000);

/** The interval of --watch, in milliseconds. An option with an optional value also swallows the URL that follows it. */
export function intervalOption(text: string): number {
  if (parseDuration(text) === null) {
    throw new InvalidArgumentError('Write a duration such as 30s, or the URLs before --watch.');
  }
  return durationOption(1000)(text);
}

/** `1%` or `0.01` → 0.01. */
export function ratioOption(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text);
  const ratio = match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : Number.NaN;
  if (!(ratio >= 0 && ratio <= 1))
    throw new InvalidArgumentError('Write a percentage from 0% to 100%, such as 1%.');
  return ratio;
}

/** A MOS: 1 to 4.5. */
export function mosOption(text: string): number {
  const mos = /^\d(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(mos >= 1 && mos <= 4.5)) throw new InvalidArgumentError('Write a MOS from 1 to 4.5.');
  return mos;
}

function wholeNumberOption(most: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
    if (count < 1 || count > most) throw new InvalidArgumentError(`Write a whole number from 1 to ${most}.`);
    return count;
  };
}

export const countOption = wholeNumberOption(999_999);

// Each is an allocation of its own: more would be a load, and say no more.
export const portCountOption = wholeNumberOption(500);

/** `udp://peer.example.net:3479`, where an `rtc-ops peer` listens. */
export function peerUrlOption(text: string): { url: string; host: string; port: number } {
  const [, bracketed, plain, digits] = /^udp:\/\/(?:\[([^\]]+)\]|([^:/?#@]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  const port = Number(digits);
  if (!isHost(host) || !(port >= 1 && port <= 65_535)) {
    throw new InvalidArgumentError('Write udp://HOST:PORT, for example udp://peer.example.net:3479.');
  }
  return { url: text, host, port };
}

/** `udp,tcp`, each one of `choices`. An option that is repeated adds to its list: what it asked for before still counts. */
export function listOption<T extends string>(
  choices: readonly T[],
): (text: string, previous: readonly T[] | undefined) => T[] {
  return (text, previous) => {
    const given = text.split(',').map((part) => {
      const choice = choices.find((each) => each === part.trim().toLowerCase());
      if (choice === undefined) {
        throw new InvalidArgumentError(`${JSON.stringify(part)} is none of ${choices.join(', ')}.`);
      }
      return choice;
    });
    return [...new Set([...(previous ?? []), ...given])];
  };
}

/** A path. A variable of a script that is not set leaves it empty. */
export function fileOption(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Write the path of a file.');
  return text;
}

/** What a certificate can be for: a name, or an IP address without brackets. */
export function servernameOption(text: string): string {
  if (!isHost(text)) throw new InvalidArgumentError('Write a host name such as turn.example.com.');
  return text;
}
