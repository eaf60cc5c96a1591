import { formatEndpoint, sameAddress, sameEndpoint, scopeOf, type Endpoint } from '../model/endpoint.ts';
import type {
  Attempt,
  ChangedOriginFacts,
  NatBindingFacts,
  NatFacts,
  NatMappingFacts,
  Target,
} from '../model/observations.ts';
import { openUdp } from '../net/udp.ts';
import { changedAddress, otherAddress, xorMappedAddress } from '../stun/address-attributes.ts';
import { put, read } from '../stun/attribute.ts';
import { changeRequest, responsePort } from '../stun/discovery-attributes.ts';
import { reading } from '../turn/session.ts';
import { attempt, notTried } from './attempt.ts';
import {
  ask,
  mappedIn,
  openBindingSocket,
  type BindingAnswer,
  type BindingSocket,
} from './binding-socket.ts';
import type { NatProbeContext, NatProbeOptions } from './nat-context.ts';
import { probeHairpin } from './nat-hairpin.ts';
import { probeLifetime } from './nat-lifetime.ts';

// Round trips are far below it, and the steps that may meet silence (first Binding, filtering, mapping, control) are
// at most three of them: a silent alternate address leaves nothing to control. So the whole takes less than 6 s.
const defaultAnswerMs = 1800;
// Enough to find one that has another address.
const mostServers = 8;
// Beyond the server's own other address: two more are proof enough.
const mostForeign = 2;

/**
 * NAT behaviour by the tests of RFC 5780, for each address family by the first server that has another address.
 * Only UDP listeners can be asked: CHANGE-REQUEST is for UDP alone.
 */
export async function probeNat(targets: readonly Target[], options: NatProbeOptions): Promise<NatFacts[]> {
  const families = ([4, 6] as const).map((family) =>
    targets
      .filter((target) => target.family === family && target.transport === 'udp')
      .filter((target, index, all) => all.findIndex((each) => sameEndpoint(each, target)) === index)
      .slice(0, mostServers),
  );
  return Promise.all(
    families.flatMap(([first, ...more]) => (first === undefined ? [] : [probeBy(first, more, options)])),
  );
}

interface Discovery {
  readonly target: Target;
  readonly binding: Attempt<NatBindingFacts>;
}

async function probeBy(first: Target, more: readonly Target[], options: NatProbeOptions): Promise<NatFacts> {
  const { signal, clock, answerMs = defaultAnswerMs } = options;
  const sockets: BindingSocket[] = [];
  const open = async (): Promise<BindingSocket> => {
    const socket = await openBindingSocket(first.family, signal);
    sockets.push(socket);
    return socket;
  };
  const request: NatProbeContext['request'] = (socket, to, attributes = []) =>
    ask(socket, { to, attributes, timeoutMs: answerMs, signal });
  try {
    const found = new Map<Discovery, BindingSocket>();
    const asked = await Promise.all(
      [first, ...more].map(async (target) => {
        let socket: BindingSocket | null = null;
        const binding = await attempt(clock, async () => {
          socket = await open();
          return bind(socket, target, await request(socket, target), signal);
        });
        const discovery = { target, binding };
        if (socket !== null) found.set(discovery, socket);
        return discovery;
      }),
    );
    const chosen = chosenOf(asked);
    const { target, binding } = chosen;
    const server = { address: target.address, port: target.port };
    const base = { url: target.url, host: target.host, family: target.family, server, binding };
    const socket = found.get(chosen);
    if (binding.state !== 'done' || socket === undefined) return { ...base, ...untried(binding, options) };
    const context = { ...options, server, open, request };
    const foreign = asked.filter((each) => each.binding.state === 'done').map((each) => each.target);
    const behaviour = await examine(socket, binding.value, foreign, context);
    return { ...base, ...behaviour };
  } finally {
    for (const socket of sockets) socket.close();
  }
}

type Behaviour = Omit<NatFacts, 'url' | 'host' | 'family' | 'server' | 'binding'>;

function untried(binding: Attempt<NatBindingFacts>, { lifetimeMs }: NatProbeOptions): Behaviour {
  const none = notTried(binding.state === 'not-tried' ? binding.because : 'the server did not answer');
  const neither = { addressAndPort: none, port: none };
  return {
    mappings: [],
    filtering: neither,
    control: neither,
    hairpin: none,
    lifetime: lifetimeMs === null ? null : none,
  };
}

/**
 * The server that can tell most: a public one; one with another address, else one with another port, else one that
 * answered.
 */
function chosenOf(asked: readonly Discovery[]): Discovery {
  const worth = ({ target, binding }: Discovery): number => {
    if (binding.state !== 'done') return 0;
    const { other } = binding.value;
    const isPublic = scopeOf(target.address) === 'global' ? 3 : 0;
    if (other === null) return 1 + isPublic;
    return (sameAddress(other.address, target.address) ? 2 : 3) + isPublic;
  };
  const [best] = asked.toSorted((a, b) => worth(b) - worth(a)) as [Discovery];
  return best;
}

async function bind(
  socket: BindingSocket,
  remote: Endpoint,
  answer: BindingAnswer,
  signal: AbortSignal,
): Promise<NatBindingFacts> {
  const local = { address: await localAddressTo(remote, signal), port: socket.port };
  const mapped = mappedIn(answer);
  return reading(answer.message, (response) => ({
    local,
    mapped,
    xored: read(response, xorMappedAddress) !== undefined,
    other: read(response, otherAddress) ?? read(response, changedAddress) ?? null,
  }));
}

/** An unconnected socket does not know from which address its packets leave; a connected one to the same place does. */
async function localAddressTo({ address, port }: Endpoint, signal: AbortSignal): Promise<string> {
  const route = await openUdp({ remote: { address, port }, signal });
  route.close();
  return route.local.address;
}

/**
 * Filtering comes before mapping: some NATs filter by host and not by socket, and would let anything in from an
 * address that one of our sockets has sent to (RFC 5780 §4.5).
 */
async function examine(
  socket: BindingSocket,
  binding: NatBindingFacts,
  foreign: readonly Endpoint[],
  context: NatProbeContext,
): Promise<Behaviour> {
  const inOrder = async (): Promise<Pick<Behaviour, 'filtering' | 'mappings' | 'control'>> => {
    const filtering = await probeFiltering(binding, context);
    const mappings = await probeMappings(socket, binding, foreign, context);
    return { filtering, mappings, control: await probeControl(socket, binding, mappings, context) };
  };
  const [ordered, hairpin, lifetime] = await Promise.all([
    inOrder(),
    probeHairpin(context),
    context.lifetimeMs === null ? null : probeLifetime(context.lifetimeMs, context),
  ]);
  return { ...ordered, hairpin, lifetime };
}

const noOther = 'the server names no other address of its own (no OTHER-ADDRESS)';

async function probeFiltering(
  { other }: NatBindingFacts,
  { server, open, request, clock }: NatProbeContext,
): Promise<ChangedOriginFacts> {
  const changed = async (what: { address: boolean; port: boolean }): Promise<Attempt<{ from: Endpoint }>> => {
    // A fresh socket for each: what came in for one must not open the filter for the other.
    const fresh = await attempt(clock, async () => {
      const socket = await open();
      await request(socket, server);
      return socket;
    });
    if (fresh.state !== 'done') return notTried('the server did not answer a second socket');
    return attempt(clock, async () => {
      const { from } = await request(fresh.value, server, [put(changeRequest, what)]);
      return { from };
    });
  };
  const [addressAndPort, port] = await Promise.all([
    whyNotOther(other, server, 'address') ?? changed({ address: true, port: true }),
    whyNotOther(other, server, 'port') ?? changed({ address: false, port: true }),
  ]);
  return { addressAndPort, port };
}

/** Why an answer from the other address or port cannot be asked for; null when it can. */
function whyNotOther(
  other: Endpoint | null,
  server: Endpoint,
  key: 'address' | 'port',
): Attempt<never> | null {
  if (other === null) return notTried(noOther);
  const same = key === 'address' ? sameAddress(other.address, server.address) : other.port === server.port;
  return same
    ? notTried(`the server has only one ${key}: its other address is ${formatEndpoint(other)}`)
    : null;
}

async function probeMappings(
  socket: BindingSocket,
  { local, other }: NatBindingFacts,
  foreign: readonly Endpoint[],
  { server, request, clock, signal }: NatProbeContext,
): Promise<NatMappingFacts[]> {
  const own = other === null ? [] : alternatesOf(server, other);
  const others = foreign
    .filter(({ address }) => ![server, ...own].some((each) => sameAddress(each.address, address)))
    .slice(0, mostForeign)
    .map(({ address, port }) => ({ address, port }));
  return Promise.all(
    [...own, ...others].map(async (to): Promise<NatMappingFacts> => {
      const unasked = whyUnasked(to, server);
      if (unasked !== null) return { to, answer: notTried(unasked) };
      const route = await attempt(clock, () => localAddressTo(to, signal));
      if (route.state === 'failed') return { to, answer: route };
      if (route.state === 'done' && route.value !== local.address) {
        // Through another interface it may be another NAT, or none.
        const because = `packets to ${to.address} leave from ${route.value}, and not from ${local.address}`;
        return { to, answer: notTried(because) };
      }
      return {
        to,
        answer: await attempt(clock, async () => ({ mapped: mappedIn(await request(socket, to)) })),
      };
    }),
  );
}

/** The other endpoints of a server: other address, other address and port (tests II and III), and other port. */
function alternatesOf(server: Endpoint, other: Endpoint): Endpoint[] {
  const all = [
    { address: other.address, port: server.port },
    other,
    { address: server.address, port: other.port },
  ];
  return all.filter(
    (one, index) => !sameEndpoint(one, server) && all.findIndex((each) => sameEndpoint(each, one)) === index,
  );
}

/**
 * Nothing is sent to where a server is not as public as the one that was asked: that one could name any address of the
 * client's own network, and what is not behind the same NAT tells nothing of it.
 */
function whyUnasked({ address, port }: Endpoint, server: Endpoint): string | null {
  if (port !== 0 && scopeOf(address) === scopeOf(server.address)) return null;
  return `${formatEndpoint({ address, port })} cannot be reached from here as ${server.address} is`;
}

/** Whether the server gives answers from elsewhere, asked where a filter has been opened for them. */
async function probeControl(
  socket: BindingSocket,
  { mapped, other }: NatBindingFacts,
  mappings: readonly NatMappingFacts[],
  { server, request, clock }: NatProbeContext,
): Promise<ChangedOriginFacts> {
  if (other === null) return { addressAndPort: notTried(noOther), port: notTried(noOther) };
  const control = async (origin: Endpoint, address: boolean): Promise<Attempt<{ from: Endpoint }>> => {
    const towards = mappings.find(({ to }) => sameEndpoint(to, origin))?.answer;
    if (towards?.state !== 'done') return notTried(`${formatEndpoint(origin)} does not answer`);
    const { port } = towards.value.mapped;
    if (!sameAddress(towards.value.mapped.address, mapped.address)) {
      return notTried('the NAT has several public addresses');
    }
    // A mapping of its own for that endpoint: its port is where the answer has to go.
    const elsewhere = port === mapped.port ? [] : [put(responsePort, port)];
    return attempt(clock, async () => {
      const { from } = await request(socket, server, [
        put(changeRequest, { address, port: true }),
        ...elsewhere,
      ]);
      return { from };
    });
  };
  const [addressAndPort, port] = await Promise.all([
    whyNotOther(other, server, 'address') ?? control(other, true),
    whyNotOther(other, server, 'port') ?? control({ address: server.address, port: other.port }, false),
  ]);
  return { addressAndPort, port };
}
