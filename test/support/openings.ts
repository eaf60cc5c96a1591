import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { openingsOf } from '../../src/coturn/firewall/openings.ts';
import type { Opening } from '../../src/model/firewall.ts';

/** A config with what these keys of rtc-ops.yaml say. */
export function configWith(keys: Readonly<Record<string, unknown>>): Config {
  // JSON is YAML too.
  const text = JSON.stringify({ realm: 'example.org', auth: { secret: { file: 'secret' } }, ...keys });
  return parseConfig(text, 'rtc-ops.yaml');
}

/** UDP and TCP on 3478, TLS on 5349, the usual relay range, both families. */
export const usualOpenings: readonly Opening[] = openingsOf(
  configWith({ tls: { cert: '/cert.pem', key: '/key.pem' } }),
);
