import { jsonSlices } from '../json-slices.ts';
import type { GiveBack } from '../part-source.ts';
import { pageReports } from './about-webrtc-text.ts';
import { member } from './event-value.ts';
import { FirefoxReports } from './firefox-report.ts';
import { Omissions } from './omissions.ts';
import type { Reading } from './reading.ts';
import { isOfOtherKind } from './source-kind.ts';

// A page of a day of calls, with its log and its drawings, has some ten megabytes.
const mostPageBytes = 32 * 2 ** 20;

/**
 * Reads what Firefox says of its calls: the saved page of about:webrtc, the page as it was copied, and what “Copy Report”
 * and “Copy Report History” give, one or several of them in a file.
 */
export async function readAboutWebrtc(chunks: AsyncIterable<Buffer>, giveBack?: GiveBack): Promise<Reading> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first = await iterator.next();
  const head: Buffer = first.done === true ? Buffer.alloc(0) : first.value;
  const all = async function* all(): AsyncGenerator<Buffer> {
    yield head;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  };
  const isJson = /^\s*[{[]/.test(head.toString('latin1', 0, 100).replace(/^\u00ef\u00bb\u00bf/, ''));
  const reports = new FirefoxReports();
  const omissions = new Omissions();
  const read = isJson ? readReports : readPage;
  await read(all(), giveBack, { reports, omissions });
  return {
    source: { writer: 'Firefox', engine: 'firefox', savedAtMs: reports.lastAtMs, ...omissions.facts() },
    connections: reports.connections(),
    mediaRequests: [],
  };
}

interface Found {
  readonly reports: FirefoxReports;
  readonly omissions: Omissions;
}

async function readReports(
  chunks: AsyncIterable<Buffer>,
  giveBack: GiveBack | undefined,
  { reports, omissions }: Found,
): Promise<void> {
  let open: Record<string, unknown> = {};
  const flush = (): void => {
    reports.add(open);
    open = {};
  };
  try {
    for await (const { path, text } of jsonSlices(chunks, {
      choose: ([first, ...rest]) =>
        first === undefined || (rest.length === 0 && (first === 'reports' || first === 'sdpHistories'))
          ? 'enter'
          : 'give',
      isLines: true,
      isOther: (bytes) => isOfOtherKind(bytes, 'about-webrtc'),
      giveBack,
      onTooLong: () => omissions.unread('an entry is too long and was left out'),
    })) {
      const value = JSON.parse(text) as unknown;
      const [place = ''] = path;
      if (typeof place === 'string' && path.length === 1) {
        // The same member again begins the next report.
        if (Object.hasOwn(open, place)) flush();
        Object.defineProperty(open, place, { value, enumerable: true, configurable: true });
      } else if (member(value, 'pcid') !== undefined) {
        const report = value as Readonly<Record<string, unknown>>;
        if (place === 'sdpHistories') reports.addHistory(report);
        else reports.add(report);
      }
    }
  } catch (error) {
    omissions.damage(error);
  }
  flush();
}

async function readPage(
  chunks: AsyncIterable<Buffer>,
  giveBack: GiveBack | undefined,
  { reports, omissions }: Found,
): Promise<void> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    if (length < mostPageBytes) parts.push(chunk);
    length += chunk.length;
  }
  let bytes = Buffer.concat(parts);
  const isPage = /^\s*</.test(bytes.toString('latin1', 0, 100).replace(/^\u00ef\u00bb\u00bf/, ''));
  const pageEnd = isPage ? endOfPage(bytes) : null;
  if (pageEnd !== null && giveBack !== undefined) {
    giveBack(bytes.subarray(pageEnd));
    bytes = bytes.subarray(0, pageEnd);
  }
  // The parser of HTML is loaded where there is some.
  const lines = isPage
    ? (await import('./about-webrtc-page.ts')).pageLines(bytes)
    : bytes.toString('utf8').split(/\r?\n/);
  const isCut =
    isPage && !/<\/(?:div|body|html)>\s*$/i.test(bytes.toString('latin1', Math.max(0, bytes.length - 200)));
  // Half a line of figures would tell of none.
  for (const report of pageReports(isCut ? lines.slice(0, -1) : lines)) reports.add(report);
  if (isCut) omissions.unread('the page ends early; what follows is not known');
  if (length > mostPageBytes) omissions.unread(`only its first ${mostPageBytes / 2 ** 20} MB were read`);
}

/** Where a page ends and something else follows; null where nothing does. */
function endOfPage(bytes: Buffer): number | null {
  const tag = '</html>';
  const at = bytes.indexOf(tag);
  if (at === -1) return null;
  const end = at + tag.length;
  return /\S/.test(bytes.toString('latin1', end, end + 4096)) ? end : null;
}
