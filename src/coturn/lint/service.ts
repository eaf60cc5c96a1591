import type { ServiceFacts } from '../../model/host-facts.ts';

/** The texts that say what starts coturn on a machine, and as whom. */
export interface ServiceTexts {
  /** The unit files, that of the package before that of the administrator. */
  readonly units: readonly string[];
  /** Their drop-ins, in the order in which systemd reads them. */
  readonly dropIns: readonly string[];
  /** /etc/passwd and /etc/group. */
  readonly passwd: string;
  readonly group: string;
  /** net.ipv4.ip_unprivileged_port_start; null where the kernel has none. */
  readonly lowestPort: string | null;
  /** Whether the program file itself has CAP_NET_BIND_SERVICE; null when that is not known. */
  readonly binaryMayBind: boolean | null;
}

export const serviceUnit = 'coturn.service';
export const unitDirectories = ['usr/lib/systemd/system', 'lib/systemd/system', 'etc/systemd/system'];

/** The service that starts coturn, of the texts of a machine; null when there is none, or none that is understood. */
export function serviceOf(texts: ServiceTexts): ServiceFacts | null {
  const text = texts.units.at(-1);
  if (text === undefined) return null;
  const settings = [text, ...texts.dropIns].join('\n');
  const user = lastSetting(settings, 'User') ?? 'root';
  const account = tableOf(texts.passwd).find(([name]) => name === user);
  const uid = user === 'root' ? 0 : Number(account?.[2] ?? user);
  if (!Number.isInteger(uid)) return null;
  const groups = tableOf(texts.group);
  const group = lastSetting(settings, 'Group');
  const primary =
    group === undefined ? account?.[3] : (groups.find(([name]) => name === group)?.[2] ?? group);
  const gids = [
    primary,
    ...groups.filter(([, , , members = '']) => members.split(',').includes(user)).map(([, , id]) => id),
  ];
  const hasCapability =
    /^\s*AmbientCapabilities\s*=.*CAP_NET_BIND_SERVICE/m.test(settings) || texts.binaryMayBind;
  return {
    unit: serviceUnit,
    user,
    uid,
    gids: [...new Set(gids.map(Number))].filter((each) => Number.isInteger(each)),
    lowestPort: hasCapability === null ? null : hasCapability ? 0 : Number(texts.lowestPort?.trim() || 1024),
  };
}

/** The user of an account, by its number; the number itself where no account has it. */
export function accountName(passwd: string, uid: number): string {
  return tableOf(passwd).find(([, , id]) => id === String(uid))?.[0] ?? String(uid);
}

function lastSetting(text: string, name: string): string | undefined {
  return [...text.matchAll(new RegExp(`^\\s*${name}\\s*=\\s*(\\S+)`, 'gm'))].at(-1)?.[1];
}

function tableOf(text: string): string[][] {
  return text.split('\n').map((line) => line.split(':'));
}
