import { checkOf } from '../model/check.ts';
import type {
  CallReport,
  CheckReport,
  FindingReport,
  Report,
  SubjectCheckReport,
  TargetReport,
} from '../model/report.ts';
import { printableReport } from './printable-report.ts';

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

/**
 * The text format of Prometheus (version 0.0.4), gauges only. What is unknown has no sample: a 0 would be a failure, and
 * a 1 a lie.
 */
export function renderPrometheus(given: Report): string {
  const report = printableReport(given);
  return [...runMetrics(report), ...targetMetrics(report), ...callMetrics(report)]
    .filter(({ samples }) => samples.length > 0)
    .map(exposition)
    .join('');
}

function runMetrics(report: Report): Metric[] {
  const { verdict, exitCode, startedAt, durationMs, findings } = report;
  const whole = (value: number): Sample[] => [{ labels: {}, value }];
  return [
    {
      name: 'rtc_ops_run_success',
      help: 'Whether the run ended with exit code 0; absent when the verdict is unknown.',
      samples: verdict === 'unknown' ? [] : whole(exitCode === 0 ? 1 : 0),
    },
    {
      name: 'rtc_ops_run_timestamp_seconds',
      help: 'When the run began, seconds since the epoch.',
      samples: whole(Date.parse(startedAt) / 1000),
    },
    {
      name: 'rtc_ops_run_duration_seconds',
      help: 'How long the run took.',
      samples: whole(durationMs / 1000),
    },
    {
      name: 'rtc_ops_findings',
      help: 'Findings of the run, by code and severity (rtc-ops explain CODE).',
      samples: findingSamples(findings),
    },
  ];
}

function findingSamples(findings: readonly FindingReport[]): Sample[] {
  const key = ({ code, severity }: FindingReport): string => `${code} ${severity}`;
  return findings.map((each) => ({
    labels: { code: each.code, severity: each.severity },
    value: findings.filter((other) => key(other) === key(each)).length,
  }));
}

function targetMetrics({ targets, checks }: Report): Metric[] {
  const ofTargets = targets.map((target) => ({ target, labels: labelsOf(target) }));
  const all = [
    ...checks.map((check) => ({ check, labels: subjectLabels(check) })),
    ...ofTargets.flatMap(({ target, labels }) => target.checks.map((check) => ({ check, labels }))),
  ].filter(({ check }) => check.status === 'passed' || check.status === 'failed');
  return [
    {
      name: 'rtc_ops_probe_success',
      help: 'Whether every check that a target needs passed; absent when one of them is unknown.',
      samples: ofTargets.flatMap(({ target, labels }) => sample(labels, successOf(target))),
    },
    {
      name: 'rtc_ops_check_success',
      help: 'Whether a check passed; absent when it was skipped or is unknown.',
      samples: all.map(({ check, labels }) => ({
        labels: { check: check.id, ...labels },
        value: check.status === 'passed' ? 1 : 0,
      })),
    },
    {
      name: 'rtc_ops_check_duration_seconds',
      help: 'How long a check took.',
      samples: all.flatMap(({ check, labels }) =>
        sample({ check: check.id, ...labels }, inSeconds(check.durationMs)),
      ),
    },
    {
      name: 'rtc_ops_stun_rtt_seconds',
      help: 'Round trip of a STUN Binding request.',
      samples: ofTargets.flatMap(({ target: { observations }, labels }) =>
        observations.binding.state === 'done'
          ? sample(labels, inSeconds(observations.binding.value.rttMs))
          : [],
      ),
    },
    {
      name: 'rtc_ops_certificate_expiry_timestamp_seconds',
      help: 'When the certificate of a listener ends, seconds since the epoch.',
      samples: ofTargets.flatMap(({ target, labels }) => sample(labels, certificateEnd(target))),
    },
  ];
}

function callMetrics({ calls, targets }: Report): Metric[] {
  const metric = (name: string, help: string, value: (call: CallReport) => number | null): Metric => ({
    name: `rtc_ops_call_${name}`,
    help: `${help} of the call through the relay.`,
    samples: calls.flatMap((call) => {
      const target = targets.find(({ url, address }) => url === call.target && address === call.address);
      return target === undefined ? [] : sample(labelsOf(target), value(call));
    }),
  });
  return [
    metric('connect_seconds', 'Time to connect', ({ connectMs }) => inSeconds(connectMs)),
    metric(
      'loss_ratio',
      'Lost packets, 0 to 1, in the worse direction',
      ({ audio }) => audio?.lossRatio ?? null,
    ),
    metric('jitter_seconds', 'Interarrival jitter (RFC 3550), in the worse direction', ({ audio }) =>
      inSeconds(audio?.jitterMs ?? null),
    ),
    metric('rtt_seconds', 'Round trip', ({ audio }) => inSeconds(audio?.rttMs ?? null)),
    metric(
      'mos',
      'Quality (ITU-T G.107), 1 to 4.5, in the worse direction',
      ({ audio }) => audio?.mos ?? null,
    ),
  ];
}

function labelsOf({ url, address, transport, family }: TargetReport): Labels {
  return { target: url, address, transport, family: String(family) };
}

/** Of a check of the whole: a host name, or the address family of what is about this client's NAT. */
function subjectLabels({ id, subject }: SubjectCheckReport): Labels {
  return checkOf(id).about === 'network' ? { family: subject.replace('IPv', '') } : { target: subject };
}

/** 0 for an error; null when something that is needed is unknown, or nothing at all was found to work. */
function successOf({ checks }: TargetReport): number | null {
  if (checks.some(({ severity }) => severity === 'error')) return 0;
  const required = checks.filter((check) => check.required);
  const needed: readonly CheckReport[] = required.length > 0 ? required : checks;
  if (needed.some(({ status }) => status === 'unknown')) return null;
  return needed.some(({ status }) => status === 'passed') ? 1 : null;
}

function certificateEnd({ observations: { tls } }: TargetReport): number | null {
  const end = tls.state === 'done' ? tls.value.chain[0]?.notAfter : undefined;
  return end === undefined ? null : Date.parse(end) / 1000;
}

function inSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

function sample(labels: Labels, value: number | null): Sample[] {
  return value === null ? [] : [{ labels, value }];
}

function exposition({ name, help, samples }: Metric): string {
  // A series may stand once: of a target that was named twice, the worse success and the longer time.
  const series = new Map<string, number>();
  const worse = name.endsWith('_success') || name.endsWith('_mos') ? Math.min : Math.max;
  for (const { labels, value } of samples) {
    const key = `${name}${labelText(labels)}`;
    series.set(key, worse(value, series.get(key) ?? value));
  }
  const lines = [...series].map(([key, value]) => `${key} ${value}\n`).join('');
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines}`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(text: string): string {
  // A line break cannot remain: no report that is printable has one in a label.
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}
