import { isUtf8 } from 'node:buffer';
import { Parser } from 'htmlparser2';
import { field, opened } from './event-value.ts';

/** Elements that stand on lines of their own. */
const blocks: ReadonlySet<string> = new Set([
  ...['div', 'p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'pre', 'table', 'caption', 'tr', 'br', 'hr', 'li'],
]);

/** What is drawn, or is none of the page's text. */
const left: ReadonlySet<string> = new Set(['svg', 'script', 'style', 'button', 'label', 'input']);

/** Firefox from 74 on names its texts and their figures, in whatever language they are: these are told in English. */
const english: Readonly<Record<string, string>> = {
  'about-webrtc-connection-open': '[ {id} ] {url} {now}',
  'about-webrtc-connection-closed': '[ {id} ] {url} (closed) {now}',
  'about-webrtc-local-sdp-heading': 'Local SDP',
  'about-webrtc-remote-sdp-heading': 'Remote SDP',
  'about-webrtc-local-sdp-heading-offer': 'Local SDP (Offer)',
  'about-webrtc-local-sdp-heading-answer': 'Local SDP (Answer)',
  'about-webrtc-remote-sdp-heading-offer': 'Remote SDP (Offer)',
  'about-webrtc-remote-sdp-heading-answer': 'Remote SDP (Answer)',
  'about-webrtc-sdp-set-timestamp': 'Timestamp {timestamp}',
  'about-webrtc-received-label': ' Received {packets} packets',
  'about-webrtc-sent-label': ' Sent {packets} packets',
  'about-webrtc-lost-label': ' Lost {packets} packets',
  'about-webrtc-jitter-label': ' Jitter {jitter}',
  'about-webrtc-type-local': 'Local',
  'about-webrtc-type-remote': 'Remote',
  'about-webrtc-raw-local-candidate': 'Raw Local Candidate',
  'about-webrtc-raw-remote-candidate': 'Raw Remote Candidate',
  'about-webrtc-log-heading': 'Connection Log',
};

/** The text of an element in English, with its figures; null where it has no name, or none that matters. */
function told(attributes: Readonly<Record<string, string>>): string | null {
  const id = attributes['data-l10n-id'] ?? '';
  const words = Object.hasOwn(english, id) ? english[id] : undefined;
  const values = opened(attributes['data-l10n-args']);
  return words?.replaceAll(/\{(\w+)\}/g, (_, name: string) => field(values, name) ?? '') ?? null;
}

// A page has some twenty; the time of the parser grows with the square of the depth.
const deepest = 1000;
const pieceLength = 64 * 1024;

/** A saved page as the lines that a person sees, the cells of a row with tabs between them. */
export function pageLines(bytes: Buffer): string[] {
  const lines: string[] = [];
  let line = '';
  let hiddenDepth = 0;
  let preDepth = 0;
  const end = (): void => {
    if (line.trim() !== '') lines.push(line.trimEnd());
    line = '';
  };
  /** Whose text is told in English already. */
  const translated: boolean[] = [];
  const parser = new Parser({
    onopentag(name, attributes) {
      const words = told(attributes);
      // The buttons that stand for panes say who offered.
      const isHidden = left.has(name) && words === null;
      if (isHidden || hiddenDepth > 0) hiddenDepth++;
      translated.push(words !== null);
      if (name === 'pre') preDepth++;
      if (blocks.has(name)) end();
      if (words !== null) {
        if (name === 'button') end();
        line += words;
        if (name === 'button') end();
      }
    },
    ontext(text) {
      if (hiddenDepth > 0 || translated.at(-1) === true) return;
      if (preDepth === 0) {
        line += text.replaceAll(/\s+/g, ' ');
        return;
      }
      const [first = '', ...rest] = text.split(/\r?\n/);
      line += first;
      for (const next of rest) {
        end();
        line = next;
      }
    },
    onclosetag(name) {
      translated.pop();
      if (hiddenDepth > 0) hiddenDepth--;
      if (name === 'pre') preDepth--;
      if (name === 'td' || name === 'th') line += '\t';
      if (blocks.has(name)) end();
    },
  });
  // Firefox writes the lowest byte of each character; what was saved by other means is UTF-8.
  const text = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
  for (let at = 0; at < text.length && translated.length < deepest; at += pieceLength)
    parser.write(text.slice(at, at + pieceLength));
  parser.end();
  end();
  return lines;
}
