import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import { durationHistogram } from './duration-histogram.ts';

/** The figures of the HTTP service, in the names that Prometheus reads. */
export interface ServiceMetrics {
  readonly contentType: string;
  /** @param route the path as it is declared, never as it was asked for: each value is a series that stays */
  request(route: string, status: number, seconds: number): void;
  issued(keyName: string): void;
  reloaded(at: Date, success: boolean): void;
  text(): Promise<string>;
}

export function serviceMetrics(): ServiceMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  // Counted here and handed over when somebody asks: the library takes longer to find a series than we to answer.
  const requests = new Map<string, Map<number, number>>();
  const issued = new Map<string, number>();
  void new Counter({
    name: 'rtc_ops_credentials_requests_total',
    help: 'Requests that were answered.',
    labelNames: ['route', 'status'],
    registers,
    collect() {
      this.reset();
      for (const [route, counts] of requests)
        for (const [status, count] of counts) this.inc({ route, status }, count);
    },
  });
  void new Counter({
    name: 'rtc_ops_credentials_issued_total',
    help: 'Credentials that were issued.',
    labelNames: ['key'],
    registers,
    collect() {
      this.reset();
      for (const [key, count] of issued) this.inc({ key }, count);
    },
  });
  const durations = durationHistogram(
    'rtc_ops_credentials_request_duration_seconds',
    'From the head of a request to its answer.',
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
  );
  const reloads = new Gauge({
    name: 'rtc_ops_credentials_reload_success',
    help: 'Whether the secret and the API keys were read without an error the last time.',
    registers,
  });
  const reloadTime = new Gauge({
    name: 'rtc_ops_credentials_reload_success_timestamp_seconds',
    help: 'When they were read without an error the last time.',
    registers,
  });
  return {
    contentType: registry.contentType,
    request(route, status, seconds) {
      let counts = requests.get(route);
      if (counts === undefined) requests.set(route, (counts = new Map()));
      counts.set(status, (counts.get(status) ?? 0) + 1);
      durations.observe(seconds);
    },
    issued: (key) => void issued.set(key, (issued.get(key) ?? 0) + 1),
    reloaded(at, success) {
      reloads.set(success ? 1 : 0);
      if (success) reloadTime.set(at.getTime() / 1000);
    },
    text: async () => `${await registry.metrics()}\n${durations.text()}`,
  };
}
