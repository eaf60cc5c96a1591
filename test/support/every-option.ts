import { coturnOptions, hasOption, type OptionValue } from '../../src/coturn/options.ts';
import type { CoturnVersion } from '../../src/coturn/versions.ts';

// Options of parts that a distribution leaves out: the Debian package has no Prometheus and no MongoDB.
const maybeLeftOut = /^(?:prometheus|(?:mongo|mysql|psql|redis|sql)-|udp-(?:gso|recvmmsg|sendmmsg))/;

// A flag that is off, an account that every system has: so that coturn reads on to the end.
const harmless: Partial<Record<OptionValue, string>> = {
  flag: '0',
  account: 'root',
  port: '1',
  integer: '1',
  seconds: '1',
};

const options = coturnOptions.filter(
  ({ name, value }) => value !== 'command-line-only' && !maybeLeftOut.test(name),
);

/**
 * A turnserver.conf with every option of the table, on which coturn ends before it opens a socket: a capacity without a
 * limit for one user makes it give up after it has read all. It may write a log into its working directory.
 */
export const everyOption = [
  ...options.map(({ name, value }) => `${name}=${harmless[value] ?? '127.0.0.1'}`),
  ...['bps-capacity=1000', 'max-bps=0', 'log-file=stdout', 'no-stdout-log=0', 'syslog=0', ''],
].join('\n');

/** The names in that config that a coturn does not know, by what it prints. */
export function unknownOptions(output: string): string[] {
  if (!output.includes('must set --max-bps')) throw new Error(`coturn has not read all of it: ${output}`);
  const names = [...output.matchAll(/Bad configuration format: (\S+)/g)].map(([, name = '']) => name);
  return [...new Set(names)].toSorted();
}

/** Those that a version does not know by the table. */
export function unknownByTable(version: CoturnVersion): string[] {
  return options
    .map(({ name }) => name)
    .filter((name) => !hasOption(version, name))
    .toSorted();
}
