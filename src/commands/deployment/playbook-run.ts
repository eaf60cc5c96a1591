import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { inventoryOf, type PlaybookRun, type RoleVariables } from '../../ansible/inventory.ts';
import { runPlaybook, type PlaybookResult } from '../../ansible/playbook.ts';
import type { CommandContext } from '../context.ts';
import { runOwner } from './run-owner.ts';
import type { DeployTarget } from './target.ts';
import type { HostOptions } from './options.ts';
import type { ProgressLine } from '../progress.ts';

/** Runs a playbook on some of the targets of a command. */
export type RunOnHosts = (
  playbook: PlaybookRun['playbook'],
  targets: readonly DeployTarget[],
  variables?: {
    readonly ofAll?: RoleVariables;
    readonly of?: (target: DeployTarget) => RoleVariables;
  },
) => Promise<PlaybookResult>;

/** What runs playbooks for a command: with its connections, its progress, and its files in `directory`. */
export function playbookRunner(
  directory: string,
  options: HostOptions,
  context: CommandContext,
  progress: ProgressLine,
): RunOnHosts {
  let runs = 0;
  return async (playbook, targets, { ofAll, of } = {}) => {
    const own = join(directory, `inventory-${++runs}.json`);
    const hosts = targets.map((target) => ({
      name: target.host.name,
      connection: target.connection,
      variables: of?.(target) ?? {},
    }));
    await writeFile(own, inventoryOf(hosts), { mode: 0o600 });
    const theirs =
      options.inventory === undefined ? [] : [resolve(context.workingDirectory, options.inventory)];
    return runPlaybook(
      {
        playbook,
        // Alone for the facts: a host that theirs does not have must not come in by ours.
        inventories: theirs.length > 0 && playbook === 'facts' ? theirs : [...theirs, own],
        hosts: targets.map(({ host }) => host.name),
        // With --local it has said which of the hosts this machine is.
        limit: options.local === true ? null : (options.limit ?? null),
        ssh: {
          privateKey:
            options.privateKey === undefined ? null : resolve(context.workingDirectory, options.privateKey),
          commonArguments: options.sshCommonArgs ?? null,
        },
        variables: { coturn_deployment: runOwner(), ...ofAll },
      },
      {
        signal: context.signal,
        onOutput: (text) => {
          if (options.debug === true) context.stderr(text);
        },
        onEvent: (event) => {
          if (event.event === 'task') progress.show(event.task);
          else if (event.event === 'result') progress.show(`${event.host}: ${event.task}`);
        },
      },
    );
  };
}
