import { isIP } from 'node:net';
import { scopeOf } from '../../model/endpoint.ts';
import { compareVersions } from '../../model/release.ts';
import {
  allOf,
  isSet,
  lastOf,
  lineOf,
  leadingNumber,
  note,
  portOf,
  textOf,
  valueOf,
  wholeFile,
} from './source.ts';
import type { LintFinding, Source } from './source.ts';

/** What others see, reach and may use up. */
export function exposureFindings(source: Source): LintFinding[] {
  const relays = !isSet(source, 'stun-only');
  const permission = lastOf(source, 'server-relay');
  return [
    ...admin(source),
    ...(relays ? quotas(source) : []),
    ...(relays && permission !== undefined && isSet(source, 'server-relay')
      ? [note('RELAY_WITHOUT_PERMISSION', lineOf(source, permission, 'line', ''))]
      : []),
    ...software(source),
    ...logs(source),
  ];
}

function quotas(source: Source): LintFinding[] {
  const limits = ['user-quota', 'total-quota'].map((name) => leadingNumber(valueOf(source, name) ?? ''));
  return limits.some((each) => each > 0) ? [] : [note('NO_QUOTAS', wholeFile(source))];
}

function software(source: Source): LintFinding[] {
  const { version } = source.facts.coturn;
  const isSent =
    compareVersions(version, '4.7.0') < 0
      ? !isSet(source, 'no-software-attribute') && !isSet(source, 'prod')
      : isSet(source, 'software-attribute');
  return isSent ? [note('VERSION_EXPOSED', { ...wholeFile(source), version })] : [];
}

function isOpen(address: string): boolean {
  return isIP(address) !== 0 && scopeOf(address) !== 'loopback';
}

function admin(source: Source): LintFinding[] {
  const { version } = source.facts.coturn;
  const byDefault = compareVersions(version, '4.10.0') < 0;
  const hasCli = byDefault ? !isSet(source, 'no-cli') : isSet(source, 'cli');
  const findings: LintFinding[] = [];
  if (hasCli && !valueOf(source, 'cli-password')) {
    if (byDefault) findings.push(note('ADMIN_PASSWORD_MISSING', wholeFile(source)));
  } else if (hasCli) {
    findings.push(...exposed(source, 'cli-ip', 'cli-port', 'the command line of coturn'));
  }
  if (isSet(source, 'web-admin'))
    findings.push(...exposed(source, 'web-admin-ip', 'web-admin-port', 'the web admin of coturn'));
  return [...findings, ...prometheus(source)];
}

function exposed(source: Source, ip: string, port: string, what: string): LintFinding[] {
  const address = valueOf(source, ip) ?? '';
  const line = lastOf(source, ip);
  if (line === undefined || !isOpen(address)) return [];
  const evidence = {
    ...lineOf(source, line, 'value', `${ip}=127.0.0.1`),
    what,
    address,
    port: portOf(source, port),
  };
  return [note('ADMIN_EXPOSED', evidence)];
}

function prometheus(source: Source): LintFinding[] {
  const on = lastOf(source, 'prometheus');
  if (on === undefined) return [];
  const line = lastOf(source, 'prometheus-address');
  const address = line === undefined ? 'every address' : textOf(line);
  if (line !== undefined && !isOpen(address)) return [];
  // Before 4.6.3 there is no way to bind it to one address.
  const hasAddress = compareVersions(source.facts.coturn.version, '4.6.3') >= 0;
  const replacement =
    line !== undefined
      ? 'prometheus-address=127.0.0.1'
      : hasAddress
        ? 'prometheus\nprometheus-address=127.0.0.1'
        : null;
  const port = portOf(source, 'prometheus-port') || 9641;
  const evidence = {
    ...lineOf(source, line ?? on, 'line', replacement),
    what: 'the figures for Prometheus',
    address,
    port,
  };
  return [note('ADMIN_EXPOSED', evidence, { severity: 'warning' })];
}

function logs(source: Source): LintFinding[] {
  if (isSet(source, 'syslog')) return [];
  const talkative = ['verbose', 'Verbose', 'log-binding'].filter((name) => isSet(source, name));
  const line = talkative.flatMap((name) => allOf(source, name)).at(0);
  if (line === undefined) return [];
  const file = lastOf(source, 'log-file');
  const target = file === undefined ? null : textOf(file);
  if (target !== null && ['stdout', '-', 'syslog'].includes(target)) return [];
  const where = target ?? '/var/log/turn_PID_DATE.log';
  // Under one name it can be rotated by logrotate, which cannot be seen here.
  const isRotatable = target !== null && isSet(source, 'simple-log');
  const because = `It writes some lines for each ${line.name === 'log-binding' ? 'request' : 'session'} to ${where}, which coturn never deletes`;
  const evidence = { ...lineOf(source, line, 'line', null), because };
  return [note('LOG_FILLS_DISK', evidence, { severity: isRotatable ? 'info' : 'warning' })];
}
