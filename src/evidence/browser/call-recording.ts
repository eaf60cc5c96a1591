import type { CallRecording, SourceKind } from '../../model/call-recording.ts';
import type { GiveBack } from '../part-source.ts';
import { readAboutWebrtc } from './about-webrtc.ts';
import { readGetStats } from './getstats.ts';
import { readInternals } from './internals.ts';
import type { Reading } from './reading.ts';
import { readRtcStats } from './rtcstats.ts';
import { readSignalingText } from './signaling-text.ts';

type Reader = (chunks: AsyncIterable<Buffer>, giveBack: GiveBack) => Promise<Reading>;

const readers: Readonly<Record<SourceKind, Reader>> = {
  'webrtc-internals': readInternals,
  rtcstats: readRtcStats,
  'about-webrtc': readAboutWebrtc,
  getstats: readGetStats,
  signaling: readSignalingText,
};

export interface CallPart {
  readonly chunks: AsyncIterable<Buffer>;
  readonly cutShort: () => string | null;
  readonly giveBack: GiveBack;
}

/** Reads a recording of calls of a kind that is known; of a damaged one, what can be read. */
export async function readCallRecording(
  kind: SourceKind,
  { chunks, cutShort, giveBack }: CallPart,
  file: string,
): Promise<CallRecording> {
  let bytes = 0;
  const counted = async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  const reading = await readers[kind](counted(), (rest) => {
    bytes -= rest.length;
    giveBack(rest);
  });
  const cut = cutShort();
  const { missing, isDamaged, ...source } = reading.source;
  return {
    ...reading,
    source: {
      ...{ ...source, file, kind, bytes },
      missing: cut === null ? missing : [...missing, cut],
      isDamaged: isDamaged || cut !== null,
    },
  };
}
