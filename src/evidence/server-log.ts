import { LogAssembly } from '../coturn/log/assembly.ts';
import { LineSplitter } from '../coturn/log/lines.ts';
import type { ServerLogFacts } from '../model/server-log-facts.ts';
import type { ByteSource } from './byte-source.ts';

/**
 * Reads a log of coturn (4.5 to 4.17), as its own file or out of syslog, journald or a container. `file` is how the facts
 * name it; `nowMs` completes dates without a year.
 * @throws what `source` throws
 */
export async function readServerLog(
  source: ByteSource,
  file: string,
  nowMs: number,
): Promise<ServerLogFacts> {
  const assembly = new LogAssembly(nowMs);
  const splitter = new LineSplitter((line) => assembly.push(line));
  for await (const chunk of source.chunks) splitter.push(chunk);
  splitter.end();
  return assembly.finish(file, source.cutShort());
}
