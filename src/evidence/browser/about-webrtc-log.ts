/** What the log of about:webrtc says of a TURN server that gave no relay. */
export interface TurnError {
  /** As in the log: `{uuid} 1795276470803581 (id=… url=…)`. */
  readonly pcid: string;
  readonly url: string;
  readonly code: number;
  readonly text: string;
  readonly local: string;
}

const mostAttempts = 1000;
const attempt = /^(?:STUN-CLIENT|TURN|ICE-CANDIDATE)\((relay\([^()]*\))(?:::TURN)?\):? (.*)$/;
const givenUp =
  /^ICE\(PC:(.+?\(id=\d+ url=[^)]*\)[^()]*)\)\/CAND\((relay\(([^()]*)\))\): failed to initialize/;

/**
 * The lines of the connection log (nICEr). That the first answer is 401 is no refusal; a second one is, which it calls too
 * many tries.
 */
export function turnErrors(lines: readonly string[]): TurnError[] {
  const last = new Map<string, { code: number; text: string }>();
  const errors: TurnError[] = [];
  for (const line of lines) {
    const [, label = '', text = ''] = attempt.exec(line) ?? [];
    if (label !== '') {
      const code = /stun error code (\d{3})/.exec(text)?.[1];
      if (/Timed out/.test(text)) last.set(label, { code: 701, text: 'allocate request timed out' });
      else if (code !== undefined && last.size < mostAttempts)
        last.set(label, { code: Number(code), text: '' });
      continue;
    }
    const [, pcid, candidate = '', ends = ''] = givenUp.exec(line) ?? [];
    const why = last.get(candidate);
    if (pcid === undefined || why === undefined || errors.length >= mostAttempts) continue;
    const [local = '', server = ''] = ends.split('|').map((end) => end.replace(/^IP[46]:|\/\w+$/g, ''));
    const transport = /\/(\w+)$/.exec(ends)?.[1] ?? 'UDP';
    const scheme = transport === 'TLS' ? 'turns' : 'turn';
    const suffix = transport === 'TCP' ? '?transport=tcp' : '';
    errors.push({ pcid, url: `${scheme}:${server}${suffix}`, ...why, local });
  }
  return errors;
}
