import { configEntry, exampleFile, exampleLine, inFile, replaced } from './config-place.ts';
import type { LineEvidence, PlaceEvidence } from './config-place.ts';

/** What a configuration gives away, leaves open or lets grow. */
export const configExposureCatalog = {
  VERSION_VULNERABLE: configEntry<
    PlaceEvidence & {
      version: string;
      advisory: string;
      date: string;
      fixedIn: string;
      what: string;
      mayBePatched: boolean;
    }
  >({
    severity: 'warning',
    example: {
      ...exampleFile,
      version: '4.6.1',
      advisory: 'CVE-2026-40613',
      date: '2026-04',
      fixedIn: '4.10.0',
      what: 'one packet without credentials crashes it on ARM64',
      mayBePatched: false,
    },
    title: (e) => `coturn ${e.version} has a known hole: ${e.advisory}`,
    cause: (e) =>
      `${e.what} (known since ${e.date}, closed in ${e.fixedIn}).${e.mayBePatched ? ' Whether it is closed in the package of the distribution is not known here.' : ''}`,
    proof: (e) =>
      `The version ${e.version} is older than ${e.fixedIn}, and the configuration has what is affected.`,
    fix: (e) => [
      'on the server:  apt-get changelog coturn | grep -i cve',
      `run coturn ${e.fixedIn} or newer, or a package that has the fix`,
    ],
    explanation:
      'Published holes of coturn, by version and by what the configuration turns on. Distributions mend old versions under their old number; where the version alone does not tell, the finding says so.',
  }),
  VERSION_EXPOSED: configEntry<PlaceEvidence & { version: string }>({
    severity: 'info',
    example: { ...exampleFile, version: '4.6.1' },
    title: () => 'coturn tells everyone its version',
    cause: (e) =>
      `coturn ${e.version} puts its version into every answer, which saves an attacker the search and makes answers larger.`,
    proof: (e) => `no-software-attribute is not in ${e.file}.`,
    fix: (e) => [inFile({ ...e, line: null }, 'no-software-attribute')],
    explanation: 'Before 4.7 the SOFTWARE attribute is sent unless no-software-attribute stands in the file.',
    references: ['RFC 8489 §14.14'],
  }),
  NO_QUOTAS: configEntry<PlaceEvidence>({
    severity: 'info',
    example: exampleFile,
    title: () => 'One user may take the whole relay',
    cause: () =>
      'Neither the allocations of a user nor those of all are limited: one leaked credential takes every port.',
    proof: (e) => `Neither user-quota nor total-quota is in ${e.file}.`,
    fix: (e) => [inFile(e, 'user-quota=12'), inFile(e, 'total-quota=1200')],
    explanation:
      'user-quota limits the allocations of one user name, total-quota those of all. A browser needs about four for a call.',
  }),
  ADMIN_EXPOSED: configEntry<LineEvidence & { what: string; address: string; port: number }>({
    severity: 'error',
    example: {
      ...exampleLine('cli-ip=0.0.0.0'),
      what: 'the command line of coturn',
      address: '0.0.0.0',
      port: 5766,
      replacement: 'cli-ip=127.0.0.1',
    },
    title: (e) => `Others reach ${e.what}`,
    cause: (e) =>
      `It listens on ${e.address}, port ${e.port}, unencrypted or with a password alone in front of it.`,
    fix: (e) => replaced(e, 'have a firewall keep others from the port'),
    explanation:
      'The command line shows and ends sessions and changes limits, over plain telnet; the web admin has had holes in most versions; Prometheus tells who calls when. Each belongs on 127.0.0.1.',
  }),
  ADMIN_PASSWORD_MISSING: configEntry<PlaceEvidence>({
    severity: 'info',
    example: exampleFile,
    title: () => 'The command line of coturn is on without a password',
    cause: () => 'coturn logs an error for it at each start, and leaves the command line off.',
    proof: (e) => `Neither no-cli nor cli-password is in ${e.file}.`,
    fix: (e) => [inFile(e, 'no-cli')],
    explanation:
      'Up to 4.9 the command line is on by default and needs a password. Without one it is switched off with an error.',
    confusedWith: ['ADMIN_EXPOSED: there the command line is on, and others reach it.'],
  }),
  RELAY_WITHOUT_PERMISSION: configEntry<LineEvidence>({
    severity: 'error',
    example: { ...exampleLine('server-relay'), replacement: '' },
    title: () => 'Anyone may send to the users of this relay',
    cause: () => 'server-relay passes on what comes from peers that the user has given no permission.',
    fix: (e) => replaced(e, 'delete the line'),
    explanation:
      'Permissions keep strangers out of an allocation (RFC 8656 §2.3). coturn itself calls this option dangerous.',
    confusedWith: [
      'OPEN_RELAY_CONFIGURED: there strangers get relays of their own; here they reach those of users.',
    ],
    references: ['RFC 8656 §2.3', 'coturn README.turnserver'],
  }),
  LOG_FILLS_DISK: configEntry<LineEvidence & { because: string }>({
    severity: 'warning',
    example: {
      ...exampleLine('verbose'),
      because: 'it writes about 1 KiB for each allocation to a file that nobody rotates',
    },
    title: (e) => `With ${e.option} the log grows without end`,
    cause: (e) => `${e.because}.`,
    fix: (e) => [
      ...replaced(e, 'delete the line, or rotate the file'),
      inFile({ ...e, line: null }, 'syslog'),
    ],
    explanation:
      'coturn never deletes a log. To syslog it is the business of the journal, which keeps itself within limits; in a file it is that of logrotate, with simple-log, so that the name stays. Verbose is for looking for a fault.',
    confusedWith: ['DISK_FULL: there it has happened.'],
  }),
} as const;
