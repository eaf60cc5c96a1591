import { normalAddress, type AddressPair } from '../config/address.ts';
import { configOfHost, type Config, type Host } from '../config/config.ts';
import { pairText } from '../config/written-config.ts';
import { familyOf, scopeOf } from '../model/endpoint.ts';
import { RtcOpsError } from '../model/error.ts';
import { AttemptError, describeFailure } from '../model/failure.ts';
import type { OwnAddressFacts } from '../probes/own-addresses.ts';
import type { CommandContext } from './context.ts';

// Each server that is silent costs this, and the next one is asked.
const timeoutMs = 2000;

/**
 * The config with the addresses of a host that says `addresses: auto`, found on this machine, and told on standard error.
 * They are those of the host only where its name leads to this machine, so anything else is refused.
 * @throws RtcOpsError `configuration`
 */
export async function withFoundAddresses(
  config: Config,
  host: Host | null,
  context: CommandContext,
): Promise<Config> {
  if (host === null || !host.discoversAddresses) return config;
  const [{ probeOwnAddresses }, { NameResolver }] = await Promise.all([
    import('../probes/own-addresses.ts'),
    import('../net/name.ts'),
  ]);
  const resolver = new NameResolver(context.env);
  try {
    const resolve = async (name: string): Promise<string[]> => resolver.resolve(name, 5000, context.signal);
    const { families } = configOfHost(config, host).listen;
    const { discovery: servers } = config;
    const facts = await probeOwnAddresses({ servers, families, resolve, timeoutMs, signal: context.signal });
    const pairs = pairsOf(facts);
    if (pairs.length === 0) throw nothingFound(host, facts);
    assertIsHere(host, pairs, await addressesBehind(host.name, resolve));
    context.stderr(
      `${host.name}: addresses: auto is [${pairs.map(pairText).join(', ')}], ${sourceText(facts)}\n`,
    );
    const found = { ...host, addresses: pairs };
    return { ...config, hosts: config.hosts.map((each) => (each === host ? found : each)) };
  } finally {
    await resolver.close();
  }
}

/** For each family the address from which this machine speaks to the world, and the one by which the world knows it. */
export function pairsOf({ interfaces, sightings }: OwnAddressFacts): AddressPair[] {
  return ([4, 6] as const).flatMap((family): AddressPair[] => {
    const seen = sightings.find((each) => each.family === family && each.state === 'done');
    if (seen?.state === 'done') {
      return [{ public: normalAddress(seen.mapped), private: normalAddress(seen.local) }];
    }
    if (!sightings.some((each) => each.family === family)) return [];
    // Nobody could tell; but what is public on an interface is not translated.
    const [only, ...more] = interfaces.filter(
      ({ address }) => familyOf(address) === family && scopeOf(address) === 'global',
    );
    return only === undefined || more.length > 0
      ? []
      : [{ public: normalAddress(only.address), private: normalAddress(only.address) }];
  });
}

async function addressesBehind(
  name: string,
  resolve: (name: string) => Promise<string[]>,
): Promise<string[]> {
  try {
    return (await resolve(name)).map(normalAddress);
  } catch (error) {
    if (error instanceof AttemptError) return [];
    throw error;
  }
}

function assertIsHere({ name }: Host, pairs: readonly AddressPair[], behind: readonly string[]): void {
  if (pairs.some((pair) => behind.includes(pair.public))) return;
  const known = behind.length === 0 ? 'has no address' : `stands for ${behind.join(', ')}`;
  const found = pairs.map(pairText).join(', ');
  throw new RtcOpsError(
    'configuration',
    `the addresses of ${name} are auto, but this machine is another one: the name ${known}, and this machine is ${found}`,
    { hint: `Run it on ${name}, or write down what is right: addresses: [${found}].` },
  );
}

function nothingFound({ name }: Host, facts: OwnAddressFacts): RtcOpsError {
  const failures = facts.sightings.flatMap((each) =>
    each.state === 'failed' ? [`${each.server}, IPv${each.family}: ${describeFailure(each.failure)}`] : [],
  );
  return new RtcOpsError(
    'configuration',
    ['the addresses of ' + name + ' are auto, and no STUN server told the public one', ...failures].join(
      '\n  ',
    ),
    {
      hint: 'Write them down: addresses: [PUBLIC/PRIVATE]; or name another server in addressDiscovery.stun.',
    },
  );
}

function sourceText({ interfaces, sightings }: OwnAddressFacts): string {
  const seen = sightings.flatMap((each) =>
    each.state === 'done' ? [`${each.server} sees ${each.mapped}`] : [],
  );
  const own = sightings.flatMap((each) => {
    const found =
      each.state === 'done' ? interfaces.find(({ address }) => address === each.local) : undefined;
    return found === undefined ? [] : [`${found.interface} has ${found.address}`];
  });
  return seen.length === 0
    ? 'from the interfaces alone: no STUN server answered'
    : [...seen, ...own].join(', ');
}
