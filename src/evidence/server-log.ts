import { LogAssembly, type IsWanted } from '../coturn/log/assembly.ts';
import { LineSplitter } from '../coturn/log/lines.ts';
import type { ServerLogFacts } from '../model/server-log-facts.ts';
import { beginsDocument } from './browser/source-kind.ts';
import type { ByteSource } from './byte-source.ts';
import type { GiveBack } from './part-source.ts';

/**
 * Reads a log of coturn (4.5 to 4.18), as its own file or out of syslog, journald or a container. `file` is how the facts
 * name it; `nowMs` completes dates without a year, `isWanted` says which sessions are kept however long ago they
 * ended. A dump that stands behind it is given back.
 * @throws what `source` throws
 */
export async function readServerLog(
  source: ByteSource & { readonly giveBack?: GiveBack },
  file: string,
  nowMs: number,
  isWanted?: IsWanted,
): Promise<ServerLogFacts> {
  const { giveBack } = source;
  const assembly = new LogAssembly(nowMs, undefined, isWanted);
  const splitter = new LineSplitter((line) => {
    // A line that a client could have forged ends nothing.
    if (giveBack !== undefined && beginsDocument(line.text) && !assembly.isForgeable) return false;
    assembly.push(line);
    return true;
  });
  for await (const chunk of source.chunks) {
    const rest = splitter.push(chunk);
    if (rest === null) continue;
    giveBack?.(rest);
    return assembly.finish(file, null);
  }
  splitter.end();
  return assembly.finish(file, source.cutShort());
}
