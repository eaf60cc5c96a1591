import { onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/model/endpoint.ts';
import { read } from '../../src/stun/attribute.ts';
import { method } from '../../src/stun/message.ts';
import { lifetime } from '../../src/stun/relay-attributes.ts';
import { allocate, type AllocateOptions, type Allocation } from '../../src/turn/allocation.ts';
import { turnCredential, type ReceivedRequest, type ScriptedServer } from './scripted-server.ts';

const { signal } = new AbortController();
/** Behind the relay. */
export const peer: Endpoint = { address: '192.0.2.77', port: 7000 };
export const allTransports = ['udp', 'tcp', 'tls'] as const;

/** To allocate on a scripted server. */
export function options({ server }: ScriptedServer, more: Partial<AllocateOptions> = {}): AllocateOptions {
  return { server, credential: turnCredential, timeoutMs: 2000, signal, ...more };
}

/** An allocation for the time of the test. */
export async function allocated(
  scripted: ScriptedServer,
  more: Partial<AllocateOptions> = {},
): Promise<Allocation> {
  const allocation = await allocate(options(scripted, more));
  onTestFinished(() => allocation.close());
  return allocation;
}

/** Serves all requests but those of one method, for which there is `instead`; signed ones are numbered from 0. */
export function servingBut(
  requestMethod: number,
  instead: (request: ReceivedRequest, index: number) => void,
) {
  let index = 0;
  return (request: ReceivedRequest): void => {
    if (request.isSigned && request.message.method === requestMethod) instead(request, index++);
    else request.serve();
  };
}

/** The signed requests of one method that a server got. */
export const requestsOf = ({ requests }: ScriptedServer, requestMethod: number): ReceivedRequest[] =>
  requests.filter(({ isSigned, message }) => isSigned && message.method === requestMethod);

/** The lifetimes of all Refresh requests; 0 is a release. */
export const lifetimesAsked = (scripted: ScriptedServer): unknown[] =>
  requestsOf(scripted, method.refresh).map(({ message }) => read(message, lifetime));
