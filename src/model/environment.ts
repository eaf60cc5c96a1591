export type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a variable is one of ours. Some are secrets: no child process is to have them. */
export function isOwnVariable(name: string): boolean {
  return name.startsWith('RTC_OPS_');
}

/** What a child process may know of an environment. */
export function withoutOwnVariables(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isOwnVariable(name)));
}
