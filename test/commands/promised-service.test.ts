import { describe, expect, it } from 'vitest';
import { ownCredential, promisedService } from '../../src/commands/promised-service.ts';
import { serverSettings } from '../../src/coturn/server-settings.ts';
import { serverFacts } from '../../src/evidence/server/server-facts.ts';
import { Secret } from '../../src/model/secret.ts';
import type { ConfigurationFacts, ServedCertificate, ServerFacts } from '../../src/model/server-facts.ts';
import { formatTurnUri } from '../../src/model/turn-uri.ts';
import { serverEvidence } from '../support/server-evidence.ts';

function configuration(text: string, overrides: Partial<ConfigurationFacts> = {}): ConfigurationFacts {
  return {
    id: '1',
    path: '/etc/turnserver.conf',
    pids: [812],
    text: { state: 'seen', value: new Secret(text) },
    argumentLines: new Secret(''),
    modifiedAt: null,
    host: null,
    settings: serverSettings(text, '4.6.1'),
    ...overrides,
  };
}

function factsWith(...configurations: ConfigurationFacts[]): ServerFacts {
  const facts = serverFacts(serverEvidence({}));
  return { ...facts, firewall: { ...facts.firewall, addresses: ['10.0.0.5'] }, configurations };
}

function urlsOf(facts: ServerFacts, dialled: string | null): string[] | undefined {
  return promisedService(facts, dialled)?.uris.map(formatTurnUri);
}

const tls = 'cert=/etc/turn/c.pem\npkey=/etc/turn/k.pem\n';
const now = new Date('2026-06-01T12:00:00.000Z');

describe('what a server promises', () => {
  it('is every listener, under the name by which it was reached', () => {
    expect(urlsOf(factsWith(configuration(`listening-port=3479\n${tls}`)), 'turn.example.com')).toEqual([
      'turn:turn.example.com:3479',
      'turn:turn.example.com:3479?transport=tcp',
      'turns:turn.example.com?transport=tcp',
    ]);
  });

  it('is where its configuration says that clients find it, where it was reached by an address or an alias', () => {
    const facts = factsWith(configuration('external-ip=203.0.113.10/10.0.0.5\nno-tcp\n'));
    for (const dialled of ['10.0.0.5', 'myserver'])
      expect(urlsOf(facts, dialled)).toEqual(['turn:203.0.113.10']);
    expect(urlsOf(factsWith(configuration('no-tcp\n')), '203.0.113.7')).toEqual(['turn:203.0.113.7']);
  });

  it('is asked by an address of its own on the machine itself', () => {
    const outside = 'external-ip=203.0.113.10/10.0.0.5\nno-tcp\n';
    expect(urlsOf(factsWith(configuration(outside)), null)).toEqual(['turn:10.0.0.5']);
    expect(urlsOf(factsWith(configuration('listening-ip=127.0.0.1\nno-tcp\n')), null)).toEqual([
      'turn:127.0.0.1',
    ]);
  });

  it('is not known without a configuration, and that of a process that runs counts', () => {
    expect(promisedService(factsWith(), null)).toBeNull();
    const idle = configuration('listening-port=1111\nno-tcp\n', { pids: [] });
    expect(urlsOf(factsWith(idle, configuration('listening-port=2222\nno-tcp\n')), 'a.example')).toEqual([
      'turn:a.example:2222',
    ]);
  });

  it('is asked for the name in its certificate where no other is known', () => {
    const leaf = {
      subject: 'CN=turn.example.org',
      notAfter: '',
      selfIssued: false,
      namesIssuerUrl: true,
      keyFingerprint: '',
    };
    const served: ServedCertificate = {
      pid: 812,
      endpoint: '127.0.0.1:5349',
      served: { state: 'seen', value: leaf },
      path: null,
      onDisk: { state: 'unknown', because: 'it was not read' },
    };
    const facts = { ...factsWith(configuration(tls)), served: [served] };
    expect(promisedService(facts, '203.0.113.7')?.servername).toBe('turn.example.org');
    expect(promisedService(facts, 'turn.example.com')?.servername).toBeNull();
  });
});

describe('a credential of the server itself', () => {
  it('is made from its secret, and does not hold it', () => {
    const credential = ownCredential(
      factsWith(configuration('use-auth-secret\nstatic-auth-secret=north\n')),
      now,
    );
    expect(credential).toMatchObject({ source: 'secret', username: '1780401600:rtc-ops-doctor' });
    // printf '1780401600:rtc-ops-doctor' | openssl dgst -sha1 -hmac north -binary | base64
    expect(credential?.password.reveal()).toBe('vX6Du/lGZJKhBb4b0biIzaY7Zpg=');
  });

  it('is also that of the command line, which counts over the file', () => {
    const text = 'static-auth-secret=north\n';
    const facts = factsWith(configuration(text, { argumentLines: new Secret('static-auth-secret=south\n') }));
    expect(ownCredential(facts, now)?.password.reveal()).not.toBe(
      ownCredential(factsWith(configuration(text)), now)?.password.reveal(),
    );
  });

  it('is a user of the file with a password, and none whose key alone is there', () => {
    const alice = factsWith(configuration('lt-cred-mech\nuser=alice:secret:1\n'));
    expect(ownCredential(alice, now)).toMatchObject({ source: 'given', username: 'alice' });
    expect(ownCredential(alice, now)?.password.reveal()).toBe('secret:1');
    expect(ownCredential(factsWith(configuration('user=alice:0xabcd\n')), now)).toBeNull();
    expect(ownCredential(factsWith(configuration('no-auth\n')), now)).toBeNull();
  });
});
