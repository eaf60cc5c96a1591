import { JsonSliceError, jsonSlices } from '../json-slices.ts';
import { pageReports } from './about-webrtc-text.ts';
import { member } from './event-value.ts';
import { FirefoxReports } from './firefox-report.ts';
import type { Reading } from './reading.ts';

// A page of a day of calls, with its log and its drawings, has some ten megabytes.
const mostPageBytes = 64 * 2 ** 20;

/**
 * Reads what Firefox says of its calls: the saved page of about:webrtc, the page as it was copied, and what “Copy Report”
 * and “Copy Report History” give, one or several of them in a file.
 */
export async function readAboutWebrtc(chunks: AsyncIterable<Buffer>): Promise<Reading> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first = await iterator.next();
  const head: Buffer = first.done === true ? Buffer.alloc(0) : first.value;
  const all = async function* all(): AsyncGenerator<Buffer> {
    yield head;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  };
  const isJson = /^\s*[{[]/.test(head.toString('latin1', 0, 100).replace(/^\u00ef\u00bb\u00bf/, ''));
  const reports = new FirefoxReports();
  const missing = isJson ? await readReports(all(), reports) : await readPage(all(), reports);
  return {
    source: { writer: 'Firefox', engine: 'firefox', savedAtMs: reports.lastAtMs, missing },
    connections: reports.connections(),
    mediaRequests: [],
  };
}

async function readReports(chunks: AsyncIterable<Buffer>, reports: FirefoxReports): Promise<string[]> {
  const missing: string[] = [];
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
      onTooLong: () => missing.push('an entry is too long and was left out'),
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
    if (!(error instanceof JsonSliceError) && !(error instanceof SyntaxError)) throw error;
    missing.push(`the file is damaged: ${error.message}; what follows is not known`);
  }
  flush();
  return missing;
}

async function readPage(chunks: AsyncIterable<Buffer>, reports: FirefoxReports): Promise<string[]> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    if (length < mostPageBytes) parts.push(chunk);
    length += chunk.length;
  }
  const bytes = Buffer.concat(parts);
  const isPage = /^\s*</.test(bytes.toString('latin1', 0, 100).replace(/^\u00ef\u00bb\u00bf/, ''));
  // The parser of HTML is loaded where there is some.
  const lines = isPage
    ? (await import('./about-webrtc-page.ts')).pageLines(bytes)
    : bytes.toString('utf8').split(/\r?\n/);
  const isCut =
    isPage && !/<\/(?:div|body|html)>\s*$/i.test(bytes.toString('latin1', Math.max(0, bytes.length - 200)));
  // Half a line of figures would tell of none.
  for (const report of pageReports(isCut ? lines.slice(0, -1) : lines)) reports.add(report);
  return [
    ...(isCut ? ['the page ends early; what follows is not known'] : []),
    ...(length > mostPageBytes ? [`only its first ${mostPageBytes / 2 ** 20} MB were read`] : []),
  ];
}
