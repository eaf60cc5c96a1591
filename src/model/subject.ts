/** What a finding is about. Only findings about one subject can be one fault, or explain each other. */
export type Subject =
  /** A host at one of its addresses. */
  | { readonly kind: 'server'; readonly host: string; readonly address: string }
  /** A host name, whatever stands behind it. */
  | { readonly kind: 'name'; readonly host: string }
  /** The network in which the probe itself stands. */
  | { readonly kind: 'client' };

export function server({ host, address }: { readonly host: string; readonly address: string }): Subject {
  return { kind: 'server', host, address };
}

export function hostName({ host }: { readonly host: string }): Subject {
  return { kind: 'name', host };
}

export function client(): Subject {
  return { kind: 'client' };
}

/** A text that is the same for equal subjects, and for no others. */
export function subjectKey(subject: Subject): string {
  switch (subject.kind) {
    case 'server':
      return JSON.stringify([subject.kind, subject.host, subject.address]);
    case 'name':
      return JSON.stringify([subject.kind, subject.host]);
    case 'client':
      return subject.kind;
    default:
      return subject satisfies never;
  }
}
