/** What a finding is about. Only findings about one subject can be one fault, or explain each other. */
export type Subject =
  /** A host at one of its addresses. */
  | { readonly kind: 'server'; readonly host: string; readonly address: string }
  /** A host name, whatever stands behind it. */
  | { readonly kind: 'name'; readonly host: string }
  /** The network in which the probe itself stands. */
  | { readonly kind: 'client' }
  /** A configuration file, by the name under which it was read. */
  | { readonly kind: 'file'; readonly file: string }
  /** A connection in a recording, by the name of the file and its own. */
  | { readonly kind: 'connection'; readonly file: string; readonly connection: string };

export function server({ host, address }: { readonly host: string; readonly address: string }): Subject {
  return { kind: 'server', host, address };
}

export function hostName({ host }: { readonly host: string }): Subject {
  return { kind: 'name', host };
}

export function client(): Subject {
  return { kind: 'client' };
}

export function configurationFile({ file }: { readonly file: string }): Subject {
  return { kind: 'file', file };
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
    case 'file':
      return JSON.stringify([subject.kind, subject.file]);
    case 'connection':
      return JSON.stringify([subject.kind, subject.file, subject.connection]);
    default:
      return subject satisfies never;
  }
}
