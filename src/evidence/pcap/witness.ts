import type { FlowFacts } from '../../model/capture-facts.ts';
import { sameAddress } from '../../model/endpoint.ts';
import type { WitnessCapture, WitnessFlow } from '../../model/witness-facts.ts';
import type { ByteSource } from '../byte-source.ts';
import { readCapture } from './capture.ts';

/**
 * Reads what a server captured of one client.
 * @param clients addresses of the client
 * @throws RtcOpsError `configuration` when it is no capture
 */
export async function readWitnessCapture(
  source: ByteSource,
  clients: readonly string[],
): Promise<Omit<WitnessCapture, 'host'>> {
  const facts = await readCapture(source, 'the capture on the server', { every: true });
  const isClient = (address: string): boolean => clients.some((each) => sameAddress(each, address));
  return {
    clients,
    packets: facts.packets.total,
    cutShort: facts.cutShort,
    flows: facts.flows.flatMap((flow) => {
      if (flow.relayedBy !== null) return [];
      if (isClient(flow.a.address)) return [flowOf(flow, true)];
      return isClient(flow.b.address) ? [flowOf(flow, false)] : [];
    }),
  };
}

function flowOf(facts: FlowFacts, isClientA: boolean): WitnessFlow {
  const { transport, a, b, sent, received, receivedTtl, icmp, tcp } = facts;
  const [client, host] = isClientA ? [a, b] : [b, a];
  const [arrived, answered] = isClientA ? [sent, received] : [received, sent];
  const isReset = tcp?.resetBy === (isClientA ? 'b' : 'a') && !tcp.isAccepted;
  const isRefused = isReset || icmp.some(({ isToA }) => isToA === isClientA);
  const answerTtl = isClientA ? receivedTtl : null;
  return { transport, client, host, arrived, answered, answerTtl, isRefused };
}
