import type { HostFacts } from '../../ansible/host-facts.ts';
import type { RoleVariables } from '../../ansible/inventory.ts';
import type { WantedFile } from '../../ansible/plan.ts';
import { roleFile } from '../../ansible/role-file.ts';
import type { Config } from '../../config/config.ts';

/** What rotates the log of a host, nothing where it logs to no file of its own; and what is to be known about it. */
export interface LogState {
  readonly files: readonly WantedFile[];
  readonly packages: readonly string[];
  readonly variables: RoleVariables;
  readonly notes: readonly string[];
}

/** Its standard output is buffered as one that is no terminal (measured on 4.6.1). */
const late =
  'coturn writes to its standard output in blocks of 4 KiB, so that the journal has the last lines late; logging.to: syslog brings each at once';

export function logState({ logging }: Config, { logrotate }: HostFacts): LogState {
  const notes = logging.to === 'stdout' ? [late] : [];
  if (!logging.to.startsWith('/')) return { files: [], packages: [], variables: {}, notes };
  const file = roleFile('logrotate.conf', '/etc/logrotate.d/rtc-ops-coturn', '0644');
  return {
    files: [{ ...file, text: file.text.replaceAll('LOG_FILE', () => logging.to), isConstant: false }],
    packages: logrotate ? [] : ['logrotate'],
    variables: { coturn_log_file: logging.to },
    notes,
  };
}
