import type { HostFacts } from '../../ansible/host-facts.ts';
import type { RoleVariables } from '../../ansible/inventory.ts';
import type { KernelChange, WantedFile } from '../../ansible/plan.ts';
import type { Config } from '../../config/config.ts';

/** What is to be raised in the kernel of a host, and what is to be known about it. */
export interface KernelState {
  readonly files: readonly WantedFile[];
  readonly changes: readonly KernelChange[];
  readonly variables: RoleVariables;
  readonly notes: readonly string[];
}

const path = '/etc/sysctl.d/10-rtc-ops.conf';

/**
 * The socket buffers that coturn asks for where it listens over UDP, which all its clients share: UR_SERVER_SOCK_BUF_SIZE of
 * its ns_turn_utils.h, 2 MiB. A kernel before 6.17 gives a tenth of that, 212992 bytes, unless it is told otherwise. The
 * relayed ports ask for 64 KiB and get it.
 */
const bufferBytes = 2 ** 21;
const bufferNames = ['net.core.rmem_max', 'net.core.wmem_max'];

const conntrack = 'net.netfilter.nf_conntrack_max';

/**
 * By what a host says of its kernel. What our file there has raised stays in it. Left alone: net.ipv4.ip_local_port_range,
 * which may overlap the relay ports, as coturn takes another port where one is taken.
 */
export function kernelState(
  { profile, relay }: Config,
  { kernel, files }: Pick<HostFacts, 'kernel' | 'files'>,
): KernelState {
  const ours = files[path]?.text ?? '';
  const low = bufferNames.flatMap((name) => {
    const found = kernel[name];
    return found !== undefined && found.value < bufferBytes ? [{ name, ...found }] : [];
  });
  const raised = low.filter(({ writable }) => writable);
  const kept = bufferNames.filter(
    (name) => ours.includes(`${name} = `) || raised.some((each) => each.name === name),
  );
  const settings = Object.fromEntries(kept.map((name) => [name, bufferBytes]));
  return {
    files: kept.length === 0 ? [] : [fileWith(settings)],
    changes: raised.map(({ name, value }) => ({ name, from: value, to: bufferBytes })),
    variables: { coturn_kernel_settings: settings },
    notes: [
      ...low.filter(({ writable }) => !writable).map(refusal),
      ...(profile === 'turn' ? trackingNotes(kernel[conntrack]?.value, relay.ports) : []),
    ],
  };
}

function fileWith(settings: Readonly<Record<string, number>>): WantedFile {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
  return {
    path,
    ...{ owner: 'root', group: 'root', mode: '0644', isConstant: false },
    text: `# Written by rtc-ops: coturn asks for socket buffers of 2 MiB where it listens over UDP, and gets no more than this.\n${lines.join('')}`,
  };
}

function refusal({ name, value }: { readonly name: string; readonly value: number }): string {
  return `${name} is ${value}, and coturn asks for ${bufferBytes}; that is not allowed to be changed here, as in a container: sysctl ${name}=${bufferBytes} on the machine that runs it`;
}

/** A relayed port has a flow of its client and one or more of its peers. */
function trackingNotes(max: number | undefined, { min, max: last }: Config['relay']['ports']): string[] {
  const flows = 2 * (last - min + 1);
  if (max === undefined || max >= flows) return [];
  return [
    `its kernel tracks ${max} connections (${conntrack}), and the relay ports take ${flows} and more once all are lent: it drops packets then; raise it, or relay.ports is to be smaller`,
  ];
}
