import type { ParsedDirective } from '../parse.ts';
import { compareVersions } from '../../model/release.ts';
import { stoppedAt } from './access.ts';
import type { PathFacts, PemFacts } from '../../model/host-facts.ts';
import { allOf, at, isSet, lastOf, lineOf, named, note, textOf, valueOf, wholeFile } from './source.ts';
import type { LintFinding, Source } from './source.ts';

/** The options that name a file which coturn needs for TLS. */
export const tlsFileOptions = ['cert', 'pkey'] as const;

/** Whether coturn opens a TLS or a DTLS listener, as far as the file tells. */
export function speaksTls(source: Source): boolean {
  return wantsTls(source) && tlsFileOptions.every((name) => Boolean(valueOfFile(source, name)));
}

/** TLS over TCP, or over UDP: DTLS is on by default before 4.17 only. */
function wantsTls(source: Source): boolean {
  const dtls =
    compareVersions(source.facts.coturn.version, '4.17.0') >= 0
      ? isSet(source, 'dtls')
      : !isSet(source, 'no-dtls');
  return !isSet(source, 'no-tls') || dtls;
}

function valueOfFile(source: Source, name: string): string | undefined {
  return lastOf(source, name) === undefined ? undefined : valueOf(source, name);
}

/** The TLS listener: whether there is one, with what, and what it speaks. */
export function tlsFindings(source: Source): LintFinding[] {
  if (!wantsTls(source)) {
    const cert = lastOf(source, 'cert');
    const off = lastOf(source, 'no-tls');
    if (cert === undefined || off === undefined) return [];
    const evidence = { ...lineOf(source, off), with: named(cert), effect: 'there is no TLS listener' };
    return [note('CONFIG_CONTRADICTION', evidence)];
  }
  const missing = tlsFileOptions.filter((name) => !valueOfFile(source, name));
  if (missing.length > 0) {
    const wanted = allOf(source, ...tlsFileOptions, 'tls-listening-port').at(0);
    const place = wanted === undefined ? wholeFile(source) : at(source, wanted);
    const severity = wanted === undefined ? 'info' : 'error';
    return [note('TLS_NOT_CONFIGURED', { ...place, missing }, { severity })];
  }
  return [...protocols(source), ...tlsFiles(source)];
}

function protocols(source: Source): LintFinding[] {
  const { version } = source.facts.coturn;
  const isOld = compareVersions(version, '4.7.0') < 0;
  const findings: LintFinding[] = [];
  const without = lastOf(source, 'no-tlsv1_2');
  if (without !== undefined && isSet(source, 'no-tlsv1_2')) {
    const left = isOld ? null : 'TLS 1.3';
    const severity = left === null ? 'error' : 'warning';
    const evidence = { ...lineOf(source, without, 'line', ''), version, left };
    findings.push(note('TLS_NO_PROTOCOL', evidence, { severity }));
  }
  const offered = protocolNames.filter(([name]) =>
    isOld ? !isSet(source, `no-${name}`) : isSet(source, name),
  );
  if (offered.length === 0) return findings;
  const lines = isOld ? allOf(source, 'cert') : allOf(source, ...offered.map(([name]) => name));
  const anchor = lines.at(-1);
  if (anchor === undefined) return findings;
  const versions = offered.map(([, name]) => name);
  return [
    ...findings,
    note('LEGACY_TLS', { ...lineOf(source, anchor, 'line', isOld ? null : ''), versions }),
  ];
}

const protocolNames = [
  ['tlsv1', 'TLS 1.0'],
  ['tlsv1_1', 'TLS 1.1'],
] as const;

function tlsFiles(source: Source): LintFinding[] {
  const { host } = source.facts;
  if (host === null) return [];
  const found = tlsFileOptions.flatMap((name) => {
    const directive = lastOf(source, name);
    const facts = directive === undefined ? undefined : host.files[textOf(directive)];
    return directive === undefined || facts === undefined ? [] : [{ name, directive, facts }];
  });
  const problems = found.flatMap(({ name, directive, facts }) =>
    fileProblems(source, name, directive, facts),
  );
  const [cert, key] = [found.find(({ name }) => name === 'cert'), found.find(({ name }) => name === 'pkey')];
  const leaf = cert?.facts.pem?.certificates[0];
  const own = key?.facts.pem?.keyFingerprint ?? null;
  if (cert === undefined || key === undefined || leaf === undefined || own === null) return problems;
  if (own === leaf.keyFingerprint) return problems;
  const path = textOf(key.directive);
  const evidence = { ...lineOf(source, key.directive, 'value'), path, certificate: textOf(cert.directive) };
  return [...problems, note('TLS_KEY_MISMATCH', evidence)];
}

function fileProblems(
  source: Source,
  name: string,
  directive: ParsedDirective,
  facts: PathFacts,
): LintFinding[] {
  const place = { ...lineOf(source, directive, 'value'), path: textOf(directive) };
  if (facts.error === 'ENOENT' || facts.error === 'ENOTDIR') return [note('TLS_FILE_MISSING', place)];
  const service = source.facts.host?.service ?? null;
  const stop = service === null ? null : stoppedAt(facts, service);
  const unreadable =
    stop === null || service === null
      ? []
      : [note('TLS_FILE_UNREADABLE', { ...place, user: service.user, ...stop })];
  if (facts.pem === null) return unreadable;
  return [...unreadable, ...contentProblems(source, name, place, facts.pem)];
}

const dayMs = 86_400_000;
// certbot renews 30 days before the end; with 14 left, it has failed for long.
const soonDays = 14;

function contentProblems(
  source: Source,
  name: string,
  place: ReturnType<typeof lineOf> & { readonly path: string },
  pem: PemFacts,
): LintFinding[] {
  if (pem.error !== null) return [note('TLS_FILE_INVALID', { ...place, because: pem.error })];
  if (name !== 'cert') {
    const isUsable = pem.keyFingerprint !== null || pem.isEncrypted;
    return isUsable ? [] : [note('TLS_FILE_INVALID', { ...place, because: 'there is no private key in it' })];
  }
  const [leaf] = pem.certificates;
  if (leaf === undefined)
    return [note('TLS_FILE_INVALID', { ...place, because: 'there is no certificate in it' })];
  const daysLeft = Math.floor((Date.parse(leaf.notAfter) - Date.parse(source.facts.now)) / dayMs);
  const isAlone = pem.certificates.length === 1 && !leaf.selfIssued && leaf.namesIssuerUrl;
  const chain = place.path.replace(/\/cert(\d*)\.pem$/, '/fullchain$1.pem');
  return [
    ...(isAlone
      ? [note('TLS_FILE_LEAF_ONLY', { ...place, replacement: chain === place.path ? null : `cert=${chain}` })]
      : []),
    ...(daysLeft < soonDays
      ? [
          note(
            'TLS_FILE_EXPIRED',
            { ...place, notAfter: leaf.notAfter, daysLeft },
            { severity: daysLeft < 0 ? 'error' : 'warning' },
          ),
        ]
      : []),
  ];
}
