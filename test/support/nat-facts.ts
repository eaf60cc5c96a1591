import type { Endpoint } from '../../src/model/endpoint.ts';
import type { Attempt, ChangedOriginFacts, Failure, NatFacts } from '../../src/model/observations.ts';
import type { NatBehaviour } from '../../src/model/report.ts';
import { clientAddress, done, failed, serverAddress } from './facts.ts';

/** The facts of `probe --nat` through every kind of NAT, asked of a server with two addresses and two ports. */

export const server: Endpoint = { address: serverAddress, port: 3478 };
export const other: Endpoint = { address: '203.0.113.11', port: 3479 };
export const local: Endpoint = { address: '192.168.1.20', port: 50_000 };
/** A client without NAT. */
export const publicLocal: Endpoint = { address: clientAddress, port: 50_000 };
const silence: Failure = { kind: 'timeout', afterMs: 1800, sent: 9 };

export interface NatKind {
  /** `none`: no NAT. */
  readonly mapping: NatBehaviour | 'none';
  readonly filtering: NatBehaviour;
  readonly hairpin?: boolean;
}

export const cone: NatKind = {
  mapping: 'endpoint-independent',
  filtering: 'address-and-port-dependent',
  hairpin: false,
};

export function natFacts(kind: NatKind = cone, overrides: Partial<NatFacts> = {}): NatFacts {
  const { mapping, filtering, hairpin = false } = kind;
  const here = mapping === 'none' ? publicLocal : local;
  const alternates = [
    { address: other.address, port: server.port },
    other,
    { address: server.address, port: other.port },
  ];
  return {
    url: 'turn:turn.example.com:3478',
    host: 'turn.example.com',
    family: 4,
    server,
    binding: done({ local: here, mapped: seenAs(mapping, server), xored: true, other }),
    mappings: alternates.map((to) => ({ to, answer: done({ mapped: seenAs(mapping, to) }) })),
    filtering: {
      addressAndPort: passage(filtering === 'endpoint-independent', other),
      port: passage(filtering !== 'address-and-port-dependent', { ...server, port: other.port }),
    },
    control: fromElsewhere,
    hairpin: hairpin
      ? done({
          from: { address: clientAddress, port: 40_002 },
          mapped: { address: clientAddress, port: 40_002 },
        })
      : failed(silence),
    lifetime: null,
    ...overrides,
  };
}

/** The server does what CHANGE-REQUEST asks for. */
export const fromElsewhere: ChangedOriginFacts = {
  addressAndPort: done({ from: other }),
  port: done({ from: { ...server, port: other.port } }),
};

function passage(isOpen: boolean, from: Endpoint): Attempt<{ from: Endpoint }> {
  return isOpen ? done({ from }) : failed(silence);
}

/** The public endpoint that a NAT gives one socket for one destination. */
export function seenAs(mapping: NatKind['mapping'], { address, port }: Endpoint): Endpoint {
  if (mapping === 'none') return publicLocal;
  const offsets = {
    'endpoint-independent': 0,
    'address-dependent': address === server.address ? 0 : 100,
    'address-and-port-dependent': (address === server.address ? 0 : 100) + (port === server.port ? 0 : 10),
  };
  return { address: clientAddress, port: 40_000 + offsets[mapping] };
}
