import type { HostFacts } from '../../ansible/host-facts.ts';
import type { RoleVariables } from '../../ansible/inventory.ts';
import type { WantedFile } from '../../ansible/plan.ts';
import { roleFile } from '../../ansible/role-file.ts';
import type { Config } from '../../config/config.ts';

/** What rotates the log of a host; nothing where it logs to no file of its own. */
export interface LogState {
  readonly files: readonly WantedFile[];
  readonly packages: readonly string[];
  readonly variables: RoleVariables;
}

export function logState({ logging }: Config, { logrotate }: HostFacts): LogState {
  if (!logging.to.startsWith('/')) return { files: [], packages: [], variables: {} };
  const file = roleFile('logrotate.conf', '/etc/logrotate.d/rtc-ops-coturn', '0644');
  return {
    files: [{ ...file, text: file.text.replaceAll('LOG_FILE', () => logging.to), isConstant: false }],
    packages: logrotate ? [] : ['logrotate'],
    variables: { coturn_log_file: logging.to },
  };
}
