import { restart } from './entry.ts';
import { configEntry, exampleFile, exampleLine, replaced } from './config-place.ts';
import type { LineEvidence, PlaceEvidence } from './config-place.ts';

/** How a configuration file is read, and what of it is not what it seems. */
export const configSyntaxCatalog = {
  CONFIG_OPTION_UNKNOWN: configEntry<LineEvidence & { version: string; meant: string | null }>({
    severity: 'warning',
    example: {
      ...exampleLine('no-tcp-rely'),
      version: '4.6.1',
      meant: 'no-tcp-relay',
      replacement: 'no-tcp-relay',
    },
    title: (e) => `coturn has no option ${e.option}`,
    cause: (e) =>
      `coturn ${e.version} warns and starts without this line.${e.meant === null ? '' : ` Probably ${e.meant} was meant.`}`,
    fix: (e) => replaced(e, 'delete the line, or write the option as README.turnserver has it'),
    explanation:
      'coturn warns about an option that it does not know and starts without it, so a slip of the pen switches a protection off and nothing fails. The log says: Bad configuration format.',
    confusedWith: ['CONFIG_OPTION_TOO_NEW and CONFIG_OPTION_REMOVED: other versions do know the option.'],
  }),
  CONFIG_OPTION_TOO_NEW: configEntry<LineEvidence & { version: string; since: string }>({
    severity: 'warning',
    example: { ...exampleLine('rfc5780'), version: '4.6.1', since: '4.7.0', replacement: '' },
    title: (e) => `${e.option} came with coturn ${e.since}`,
    cause: (e) => `coturn ${e.version} does not know it yet: it warns and starts without this line.`,
    fix: (e) => [...replaced(e, `delete the line`), `or run coturn ${e.since} or newer`],
    explanation: 'The option exists in newer versions only. Older ones warn, and do without it.',
    confusedWith: [
      'CONFIG_OPTION_UNKNOWN: there no version knows it, as it is misspelt.',
      'CONFIG_OPTION_REMOVED: there older versions knew it.',
    ],
  }),
  CONFIG_OPTION_REMOVED: configEntry<LineEvidence & { version: string; until: string }>({
    severity: 'info',
    example: { ...exampleLine('no-sslv3'), version: '4.17.1', until: '4.7.0', replacement: '' },
    title: (e) => `${e.option} went with coturn ${e.until}`,
    cause: (e) => `coturn ${e.version} does not know it any more: it warns, and the line does nothing.`,
    fix: (e) => replaced(e, 'delete the line'),
    explanation:
      'The option is gone: what it asked for is the default now, or is not to be had. The line does nothing but make a warning.',
    confusedWith: [
      'CONFIG_OPTION_TOO_NEW: there newer versions know it.',
      'CONFIG_OPTION_IDLE: there coturn still takes it, without a warning.',
    ],
  }),
  CONFIG_OPTION_IDLE: configEntry<LineEvidence & { version: string }>({
    severity: 'info',
    example: { ...exampleLine('no-cli'), version: '4.17.1', replacement: '' },
    title: (e) => `${e.option} does nothing any more`,
    cause: (e) => `What it asks for is how coturn ${e.version} behaves anyway.`,
    fix: (e) => replaced(e, 'delete the line'),
    explanation: 'The option is accepted and does nothing, as its effect has become the default.',
    confusedWith: ['CONFIG_OPTION_REMOVED: there coturn warns of the line.'],
  }),
  CONFIG_INLINE_COMMENT: configEntry<LineEvidence & { readAs: string }>({
    severity: 'error',
    example: {
      ...exampleLine('realm=example.org # ours'),
      readAs: 'example.org # ours',
      replacement: 'realm=example.org',
    },
    title: (e) => `The comment behind ${e.option} is part of its value`,
    cause: (e) => `coturn knows no comments behind a value. It reads: ${e.readAs}.`,
    fix: (e) => replaced(e, 'put the comment into a line of its own'),
    explanation:
      'A comment is a line that begins with #. Behind an option everything up to the end of the line is its value: a secret with such a comment is another secret, a path names no file, and a flag stops the start.',
    confusedWith: [
      'A password with a # in it: of a secret that has no blank before the # nothing is said.',
      'CONFIG_SEMICOLON, CONFIG_QUOTE: other things behind or around a value.',
    ],
  }),
  CONFIG_SEMICOLON: configEntry<LineEvidence>({
    severity: 'warning',
    example: { ...exampleLine('realm=example.org;'), replacement: 'realm=example.org' },
    title: (e) => `The semicolon behind ${e.option} is part of its value`,
    cause: () => 'coturn keeps it, and writes the whole line to its log, secrets too.',
    fix: (e) => replaced(e, 'delete the semicolon, here and where clients have the same value'),
    explanation:
      'A line ends without a semicolon. coturn warns about one and keeps it: as part of a realm or a secret it makes every login fail, as part of a path it names no file. The warning quotes the line, so that a secret ends up in the log.',
    confusedWith: [
      'CONFIG_INLINE_COMMENT: there a blank and a # stand behind the value.',
      'A line that begins with a semicolon: that is a name which coturn does not know.',
    ],
  }),
  CONFIG_QUOTE: configEntry<LineEvidence & { readAs: string }>({
    severity: 'warning',
    example: { ...exampleLine("realm='example.org'"), readAs: "'example.org'", replacement: null },
    title: (e) => `A quote is left over in the value of ${e.option}`,
    cause: (e) =>
      `coturn drops one pair of double quotes around a value and nothing else. It reads: ${e.readAs}.`,
    fix: (e) => replaced(e, 'write the value without quotes'),
    explanation:
      'Only one double quote at the beginning and one at the end are dropped. Single quotes, and a double quote at one end alone or within, stay part of the value or are lost.',
    confusedWith: ['One pair of double quotes around the whole value: coturn drops it, and all is well.'],
  }),
  CONFIG_LINE_TOO_LONG: configEntry<LineEvidence & { bytes: number }>({
    severity: 'error',
    example: { ...exampleLine('cipher-list=ECDHE'), bytes: 1400 },
    title: (e) => `coturn cuts line ${e.line ?? ''} in two: it has ${e.bytes} bytes`,
    cause: () =>
      'coturn reads 1023 bytes of a line. The rest is a line of its own to it, with an option of its own.',
    proof: (e) => `Line ${e.line ?? ''} of ${e.file} has ${e.bytes} bytes.`,
    fix: (e) =>
      e.option === ''
        ? ['break the comment into lines of at most 1023 bytes, each with # before it']
        : ['write the value in at most 1023 bytes, the name of the option included'],
    explanation:
      'What stands behind byte 1023 of a line is read as the next line: the value is cut off in silence, and the rest may be an option.',
    confusedWith: ['CONFIG_LINE_ENDINGS: there lines are not told apart at all.'],
  }),
  CONFIG_BYTE_ORDER_MARK: configEntry<PlaceEvidence & { hidden: string | null }>({
    severity: 'error',
    example: { ...exampleLine('lt-cred-mech'), line: 1, hidden: 'lt-cred-mech' },
    title: () => 'The file begins with a byte order mark',
    cause: (e) =>
      e.hidden === null
        ? 'coturn takes it for part of the first line and warns about an unknown option.'
        : `coturn takes it for part of the first name: ${e.hidden} is not read.`,
    fix: (e) => [`save ${e.file} as UTF-8 without a byte order mark`],
    explanation:
      'Some editors put three bytes (EF BB BF) in front of a text. coturn takes them for letters of the first name, and the first line has no effect.',
    confusedWith: [
      'CONFIG_NUL: a file in UTF-16 has such a mark too, and zero bytes all over.',
      'CONFIG_OPTION_UNKNOWN: there the name itself is wrong.',
    ],
  }),
  CONFIG_NUL: configEntry<PlaceEvidence & { utf16: boolean }>({
    severity: 'error',
    example: { ...exampleLine('realm=a'), utf16: false },
    title: () => 'There is a zero byte in the file',
    cause: (e) =>
      e.utf16
        ? 'The file is UTF-16, of which coturn reads not a single option: it starts as an open relay.'
        : 'coturn reads a line up to its first zero byte; what stands behind it is lost.',
    fix: (e) => [e.utf16 ? `save ${e.file} as UTF-8` : 'delete the zero byte'],
    explanation:
      'A zero byte ends a text in C. In a UTF-16 file every second byte is one, and coturn reads nothing.',
    confusedWith: ['CONFIG_LINE_TOO_LONG: there a line is cut for its length.'],
  }),
  CONFIG_LINE_ENDINGS: configEntry<PlaceEvidence>({
    severity: 'error',
    example: { ...exampleLine('lt-cred-mech�realm=a') },
    title: () => 'Lines end with a carriage return alone',
    cause: () => 'coturn ends a line at a line feed. To it these lines are one, with one name and one value.',
    fix: (e) => [`save ${e.file} with line feeds (LF), or with both (CRLF)`],
    explanation:
      'LF and CRLF are both read as they should be. A carriage return alone does not end a line, so that all options behind the first are lost.',
    confusedWith: ['CRLF, as Windows writes it: coturn takes off both.'],
  }),
  CONFIG_VALUE_MISREAD: configEntry<LineEvidence & { readAs: string; because: string }>({
    severity: 'error',
    example: {
      ...exampleLine('min-port=70000'),
      readAs: '4464',
      because: 'a port has 16 bits, and coturn drops the others',
    },
    title: (e) => `coturn reads ${e.option} as ${e.readAs}`,
    cause: (e) => `Without a warning: ${e.because}.`,
    fix: (e) => replaced(e, 'write a plain number in the range of the option'),
    explanation:
      'Numbers are read up to the first character that is no digit, and large ones lose their upper bits. coturn says nothing.',
    confusedWith: [
      'CONFIG_VALUE_MISSING: there is nothing to read.',
      'CONFIG_PREVENTS_START: there coturn sees the mistake, and ends.',
    ],
  }),
  CONFIG_ALWAYS_ON: configEntry<LineEvidence & { value: string }>({
    severity: 'warning',
    example: { ...exampleLine('use-auth-secret=off'), value: 'off', replacement: '' },
    title: (e) => `${e.option}=${e.value} switches it on`,
    cause: () => 'coturn does not look at the value of this option: it is on wherever it stands.',
    fix: (e) => replaced(e, 'delete the line'),
    explanation:
      'Most flags take on and off. A few (use-auth-secret, no-auth-pings, no-dynamic-ip-list, no-dynamic-realms, no-rfc5780, new-log-timestamp, prometheus) are switched on by being there.',
    confusedWith: [
      'A flag that takes off: most do, and then it is off.',
      'CONFIG_OPTION_IDLE: there the option does nothing, on or off.',
    ],
  }),
  CONFIG_VALUE_MISSING: configEntry<LineEvidence & { readAs: string }>({
    severity: 'error',
    example: { ...exampleLine('max-port'), readAs: '0' },
    title: (e) => `${e.option} has no value`,
    cause: (e) => `coturn reads it as ${e.readAs}, without a warning.`,
    fix: () => ['give it a value, or delete the line to get the default'],
    explanation:
      'A line with the name alone is read as an option with an empty text: a number is 0 then, and a name is none.',
    confusedWith: [
      'A flag: it needs no value.',
      'CONFIG_VALUE_MISREAD: there is a value, and coturn reads another.',
    ],
  }),
  CONFIG_ADDRESS_INVALID: configEntry<LineEvidence & { value: string; effect: string }>({
    severity: 'error',
    example: {
      ...exampleLine('external-ip=203.0.113.300'),
      value: '203.0.113.300',
      effect: 'the relay hands out the address of its interface',
    },
    title: (e) => `${e.option} has no address that coturn understands`,
    cause: (e) => `coturn does not read ${e.value} as an address: it logs an error, and ${e.effect}.`,
    fix: (e) => replaced(e, 'write one IP address, without a prefix length or a port'),
    explanation:
      'An address is one IPv4 or IPv6 literal. coturn would also look up a name, once, at its start. What it does not understand it leaves out and starts.',
    confusedWith: [
      'DENIED_RANGE_CIDR: the same mistake in a range of peers.',
      'EXTERNAL_IP_PRIVATE: there it is an address, and the wrong one.',
    ],
  }),
  CONFIG_PREVENTS_START: configEntry<LineEvidence & { version: string; because: string }>({
    severity: 'error',
    example: {
      ...exampleLine('fingerprint=enabled'),
      version: '4.6.1',
      because: 'the value of a flag is on or off, yes or no, true or false, 1 or 0',
      replacement: 'fingerprint',
    },
    title: (e) => `coturn does not start with this ${e.option}`,
    cause: (e) => `coturn ${e.version} ends while it reads the file: ${e.because}.`,
    fix: (e) => replaced(e, 'change or delete the line'),
    explanation: 'Few mistakes stop coturn at its start; these do.',
    confusedWith: [
      'PORT_NEEDS_PRIVILEGE, CONFIG_UNREADABLE: with these coturn starts, and does something else than was meant.',
      'COTURN_NOT_RUNNING: there it is seen not to run, whatever stopped it.',
    ],
  }),
  CONFIG_DUPLICATE: configEntry<LineEvidence & { counts: number; same: boolean }>({
    severity: 'warning',
    example: { ...exampleLine('realm=example.com'), counts: 31, same: false },
    title: (e) => `Line ${e.counts} overrules this ${e.option}`,
    cause: (e) =>
      e.same
        ? `The option stands twice with one value; that of line ${e.counts} counts.`
        : `Of an option that counts once coturn takes the last line, which is line ${e.counts}.`,
    fix: (e) => [`delete line ${e.line ?? ''} or line ${e.counts} of ${e.file}`],
    explanation:
      'An option that is no list counts once. The last line wins, without a warning, wherever the first one stands.',
    confusedWith: [
      'CONFIG_CONTRADICTION: there two options ask for opposite things.',
      'Options that are lists (denied-peer-ip, user, static-auth-secret): each line of them counts.',
    ],
  }),
  CONFIG_CONTRADICTION: configEntry<LineEvidence & { with: string; effect: string }>({
    severity: 'warning',
    example: { ...exampleLine('no-tls'), with: 'cert (line 20)', effect: 'there is no TLS listener' },
    title: (e) => `${e.option} and ${e.with} do not go together`,
    cause: (e) => `With both, ${e.effect}.`,
    fix: () => ['delete the one that was not meant'],
    explanation:
      'Two lines ask for things that exclude each other. coturn takes one of them, mostly without a word.',
    confusedWith: ['CONFIG_DUPLICATE: there it is the same option twice.'],
  }),
  CONFIG_UNREADABLE: configEntry<PlaceEvidence & { user: string; because: string }>({
    severity: 'error',
    example: { ...exampleFile, user: 'turnserver', because: 'its mode is 0600 and root owns it' },
    title: (e) => `coturn cannot read its configuration as ${e.user}`,
    cause: (e) =>
      `The user ${e.user} cannot read ${e.file}: ${e.because}. coturn warns and starts with its defaults: a relay that is open to everyone.`,
    proof: (e) => `The modes and owners of ${e.file} and of the directories above it.`,
    fix: (e) => [
      `on the server:  sudo chgrp ${e.user} ${e.file}`,
      `on the server:  sudo chmod 640 ${e.file}`,
      'let the user pass every directory above it, and restart:',
      restart,
    ],
    explanation:
      'coturn fails open: when it cannot read its configuration it logs one warning (Cannot find config file) and relays for anyone, without credentials.',
    confusedWith: [
      'CONFIG_NOT_READ: there the process that runs is seen not to have got it.',
      'SECRET_READABLE: the reverse, where everybody may read it.',
    ],
  }),
} as const;
