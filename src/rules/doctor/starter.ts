import type { ServerFacts } from '../../model/server-facts.ts';

/** What starts coturn on a server, where that is not the unit `coturn` of the packages. */
export type Starter =
  | { readonly kind: 'unit'; readonly name: string }
  | { readonly kind: 'person'; readonly pids: readonly number[] };

/** Null where it is the usual unit, where it is not known, and where nothing runs. */
export function starterOf({ daemons, unit }: ServerFacts): Starter | null {
  if (daemons.state === 'unknown' || unit.state === 'unknown' || daemons.value.length === 0) return null;
  const pids = daemons.value.map(({ pid }) => pid);
  const own = unit.value;
  if (own !== null && pids.includes(own.mainPid)) {
    const name = own.name.replace(/\.service$/, '');
    return name === 'coturn' ? null : { kind: 'unit', name };
  }
  const isStopped = own === null || own.activeState === 'inactive' || own.activeState === 'failed';
  return isStopped && daemons.value.every(({ container }) => container === null)
    ? { kind: 'person', pids }
    : null;
}

/** The lines of a fix, which name the usual unit, as they are to be typed on a server whose coturn is started otherwise. */
export function startedBy(fix: readonly string[], starter: Starter | null): string[] {
  if (starter === null) return [...fix];
  return fix.map((line) => {
    if (starter.kind === 'unit')
      return line.replaceAll(
        /\b(systemctl [\w-]+(?: --\w+)*|journalctl -u) coturn(?:\.service)?(?![\w.-])/g,
        `$1 ${starter.name}`,
      );
    return /\bsystemctl restart coturn\b/.test(line)
      ? `end process ${starter.pids.join(' and ')} and start it as it was started: systemd does not run it`
      : line;
  });
}
