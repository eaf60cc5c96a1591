import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ansibleDirectory } from '../../../src/ansible/playbook.ts';
import {
  certificateState,
  type CertificateState,
} from '../../../src/commands/deployment/certificate-state.ts';
import { deployTargets } from '../../../src/commands/deployment/target.ts';
import { certbotFiles } from '../../../src/config/config.ts';
import { parseConfig } from '../../../src/config/parse.ts';

async function stateOf(challenge: string): Promise<CertificateState> {
  const yaml = `realm: r\nauth: { secret: { env: S } }\nhosts: [a.example]\ntls: { certbot: { challenge: ${challenge} } }`;
  const [target] = deployTargets(parseConfig(yaml, 'f'), { color: false, format: 'json' });
  if (target === undefined) throw new Error('there is one');
  return certificateState(target.host, target.config, { configFile: '/rtc-ops.yaml', key: 'k' });
}

describe('the certificate of a host', () => {
  it.each([
    ['http-01', 'http-01', { coturn_certbot_webroot: '', coturn_certbot_dns_plugin: '' }],
    [
      '{ webroot: /srv/www }',
      '/srv/www',
      { coturn_certbot_webroot: '/srv/www', coturn_certbot_dns_plugin: '' },
    ],
    ['{ dns: route53 }', 'route53', { coturn_certbot_webroot: '', coturn_certbot_dns_plugin: 'route53' }],
  ])('is asked for with the challenge %s', async (challenge, written, variables) => {
    const state = await stateOf(challenge);
    const request = state.files.find(({ path }) => path === '/etc/coturn/tls/request');
    expect(request?.text).toContain(`\nchallenge: ${written}\n`);
    expect(state.variables).toMatchObject(variables);
  });

  it('is where the configuration of coturn says', async () => {
    const hook = await readFile(join(ansibleDirectory, 'roles/coturn/files/certbot-hook.sh'), 'utf8');
    expect(hook).toContain('\ntarget=/etc/coturn/tls\n');
    expect(hook).toContain('mv "$target/.privkey.pem" "$target/privkey.pem"');
    expect(hook).toContain('mv "$target/.fullchain.pem" "$target/fullchain.pem"');
    expect(certbotFiles).toEqual({
      cert: '/etc/coturn/tls/fullchain.pem',
      key: '/etc/coturn/tls/privkey.pem',
    });
  });
});
