/**
 * What `templates/server-evidence.sh` printed on a server: raw sections by name, and nothing judged. The text of a
 * configuration holds secrets: it is made `Secret` by what reads it, and redacted before it is kept or shown.
 */
export interface ServerEvidence {
  /** `this machine`, or as ssh was told: `user@host`. */
  readonly server: string;
  /** When the script was sent, by the clock of the machine that asks; ISO 8601. */
  readonly takenAt: string;
  /** When the first and the last reading of the server's clock arrived, after `takenAt`. */
  readonly firstClockMs: number;
  readonly lastClockMs: number;
  readonly sections: Readonly<Record<string, EvidenceSection>>;
}

export interface EvidenceSection {
  /**
   * How it ended: the exit status of the program (`0`; `124` for one that took too long; `127` for one that is not
   * there), or `absent` or `denied` for a file. `cut` where the output ends within it.
   */
  readonly status: string;
  /** Bytes that are no UTF-8 stand as the characters of their number. */
  readonly text: string;
}
