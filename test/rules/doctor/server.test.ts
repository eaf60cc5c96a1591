import { describe, expect, it } from 'vitest';
import { serverFacts } from '../../../src/evidence/server/server-facts.ts';
import { machineCatalog, type FindingCode, type MachineFindingCode } from '../../../src/model/finding.ts';
import { codesOf, judged, recordedPid, recordedServer, type Change } from '../../support/recorded-server.ts';

const own = `process ${recordedPid}`;
const config = `configuration ${recordedPid}`;

// Made for these tests; nothing has its key.
const otherCertificate = `-----BEGIN CERTIFICATE-----
MIIBhDCCASmgAwIBAgIUBEiLADB2Wwc+Z8lz9A26c81Ua2swCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMb25lLmxhYi50ZXN0MB4XDTI2MTEyMTE2NDEwN1oXDTM2MTEx
ODE2NDEwN1owFzEVMBMGA1UEAwwMb25lLmxhYi50ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEUPzuvZpuTQa6UchzwAX/9SFrGXE8Lad0BC3swr+I7ao6nBPX
uhl76tYZskYVQ95rm/qa8d3aEKQ/QPNXAhbWo6NTMFEwHQYDVR0OBBYEFCEVgDP1
nB/Ts9q7Exc5qyRVc349MB8GA1UdIwQYMBaAFCEVgDP1nB/Ts9q7Exc5qyRVc349
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAJKHfcW6/azcTwBK
yhBz8OvgqAz1SE5bENf5ll/hW9wgAiEAjc8lPN2xYZ6SRf9Yce0qs8onp5BWykZy
mmfOF4hznpE=
-----END CERTIFICATE-----
`;

interface Case {
  readonly changes: Readonly<Record<string, Change>>;
  /** All that is found but notes; the code itself where this is not given. */
  readonly codes?: readonly FindingCode[];
}

/** The sections of its process and of what that reads, as those of another number. */
function sectionsAs(pid: number): Record<string, Change> {
  const named = Object.entries(recordedServer().sections).filter(([name]) =>
    name.includes(` ${recordedPid}`),
  );
  return Object.fromEntries(
    named.map(([name, { text }]) => [name.replace(String(recordedPid), String(pid)), text]),
  );
}

/** The sections whose names begin so, as those of a script that did not come to them. */
function without(prefix: string): Record<string, Change> {
  const names = Object.keys(recordedServer().sections).filter((name) => name.startsWith(`${prefix} `));
  return Object.fromEntries(names.map((name) => [name, { status: 'cut' }]));
}

const noProcess: Readonly<Record<string, Change>> = {
  ...sectionsAs(0),
  processes: 'looked at\nleft 0\nelsewhere 0\n',
  'process 0 status': { status: '1' },
  owners: '',
  'sockets tcp': '',
  'sockets udp': '',
  units: (text) =>
    text.replace('MainPID=685', 'MainPID=0').replace('ActiveState=active', 'ActiveState=failed'),
};

const container: Readonly<Record<string, Change>> = {
  [`${own} links`]: (text) => text.replace(/^ns\/net .*/m, 'ns/net net:[1]'),
  [`${own} cgroup`]: '0::/system.slice/docker-0123456789ab.scope\n',
};

/** What shows each of them, on a server that is in order otherwise. */
const cases: Readonly<Record<MachineFindingCode, Case>> = {
  COTURN_NOT_RUNNING: {
    changes: noProcess,
    codes: ['COTURN_NOT_RUNNING', 'LISTENER_MISSING', 'LISTENER_MISSING', 'LISTENER_MISSING'],
  },
  CONFIG_NOT_READ: {
    changes: {
      [`${config} nodes`]: (text) => text.replace(/^0 \d+ 640 /gm, '0 0 600 '),
      // With its defaults it would listen on IPv6 too, and the sockets are as they were recorded.
      addresses: (text) => text.replaceAll(/^.* inet6 .*\n/gm, ''),
    },
    codes: ['CONFIG_NOT_READ', 'CONFIG_UNREADABLE'],
  },
  CONFIG_CHANGED_SINCE_START: {
    changes: {
      [`${config} nodes`]: (text) => text.replace(/^(\d+ \d+ 640 )\d+ \d+/gm, '$11795279200 1795279200'),
    },
  },
  CONFIG_OTHER_FILE: {
    changes: {
      [`${config} origin`]: 'argument /opt/turnserver.conf\n',
      [`${config} nodes`]: (text) => text.replaceAll('/etc/turnserver.conf', '/opt/turnserver.conf'),
      'usual-configuration': '',
    },
    codes: [],
  },
  COMMAND_LINE_OPTIONS: {
    changes: { [`${own} arguments`]: (text) => `${text}--max-bps=1000000\n` },
    codes: [],
  },
  COTURN_REPLACED: {
    changes: { [`${own} links`]: (text) => text.replace('exe /usr/bin/turnserver', '$& (deleted)') },
  },
  COTURN_TTL_ONE: { changes: { version: '4.17.1\n' } },
  DAEMONS_SHARE_PORT: {
    changes: {
      ...sectionsAs(900),
      processes: `looked at ${recordedPid} 900\nleft 0\nelsewhere 0\n`,
      owners: (text) => text.replace(/^685 (\d+) turnserver\n(?=[\s\S]*^685)/m, '900 $1 turnserver\n'),
    },
  },
  CONTAINER_NETWORK: { changes: container },
  UNIT_NOT_ENABLED: {
    changes: { units: (text) => text.replace('UnitFileState=enabled', 'UnitFileState=disabled') },
  },
  TLS_CERT_NOT_RELOADED: {
    changes: {
      [`cert ${recordedPid} text`]: (text) => text.replace(/-----BEGIN[\s\S]*/, otherCertificate),
      [`pkey ${recordedPid} text`]: { status: '127' },
    },
  },
  ADDRESS_NOT_HERE: {
    changes: { [`${config} text`]: (text) => `${text}external-ip=198.51.100.1/10.0.0.5\n` },
  },
  CLOCK_SKEW: {
    changes: { 'clock-first': '1795279999.000000000\n', 'clock-last': '1795280000.000000000\n' },
  },
  CLOCK_NOT_SYNCHRONIZED: { changes: {}, codes: [] },
  FILE_LIMIT_REACHED: { changes: { [`${own} open`]: 'count 19900\n' } },
  DISK_FULL: { changes: { disk: (text) => text.replace(/ \d+ {6}29% \/$/gm, ' 400      99% /') } },
  MEMORY_LOW: {
    changes: { meminfo: (text) => text.replace(/(MemAvailable:\s+)\d+/, (_, name: string) => `${name}9000`) },
  },
  CONNTRACK_NEARLY_FULL: { changes: { 'conntrack-count': '262000\n' } },
  UDP_BUFFER_DROPS: {
    changes: { snmp: (text) => text.replace('\nUdp: 0 0 0 0 0', '\nUdp: 900000 0 0 0 50000') },
  },
};

describe('judgeServer', () => {
  it('finds nothing but notes on a server in order', () => {
    const judgement = judged(recordedServer());
    expect(codesOf(judgement)).toEqual([]);
    expect(judgement.notExamined.filter(({ isRequired }) => isRequired)).toEqual([]);
  });

  it.each(Object.keys(machineCatalog) as MachineFindingCode[])('finds %s, and nothing beside it', (code) => {
    const { changes, codes = [code] } = cases[code];
    const judgement = judged(recordedServer(changes));
    expect(judgement.findings.map((each) => each.code)).toContain(code);
    expect(codesOf(judgement).toSorted()).toEqual(codes.toSorted());
  });

  it('calls no coturn stopped whose processes nobody may see', () => {
    const hidden = { ...sectionsAs(0), id: '1000\n', processes: { status: 'hidden' }, owners: '' };
    const judgement = judged(recordedServer(hidden));
    expect(codesOf(judgement)).toEqual([]);
    expect(judgement.notExamined).toContainEqual({
      what: 'the processes',
      because: 'the list of processes cannot be read without root',
      isRequired: true,
    });
  });

  it.each([
    ['# a remark\n', 'info'],
    ['psql-userdb=host=127.0.0.1\n', 'warning'],
    [null, 'error'],
  ])('takes a database that does not answer for what it is beside %j', (line, severity) => {
    const { findings } = judged(
      recordedServer({
        [`${config} text`]: (text) =>
          line === null ? text.replace(/^static-auth-secret=.*\n/m, '') : `${text}${line}`,
        journal: (text) =>
          `${text}2026-11-21T16:35:00.000000+0000 one turnserver[${recordedPid}]: 68: : ERROR: Cannot open SQLite DB connection: </var/lib/turn/turndb>\n`,
      }),
    );
    const found = findings.filter(({ code }) => code === 'LOG_DATABASE_UNREACHABLE');
    expect(found.map((each) => each.severity)).toEqual([severity]);
  });

  it.each(['static', 'indirect', 'generated', 'alias'])(
    'says of a unit that is %s not that no boot starts it',
    (state) => {
      const changes = {
        units: (text: string) => text.replace('UnitFileState=enabled', `UnitFileState=${state}`),
      };
      expect(codesOf(judged(recordedServer(changes)))).toEqual([]);
    },
  );

  it('says that the addresses are not known where ip is not installed', () => {
    const { notExamined } = judged(recordedServer({ addresses: { status: '127' } }));
    expect(notExamined).toContainEqual({
      what: 'whether the machine has the addresses of its configuration',
      because: 'ip shows none, or is not installed',
      isRequired: false,
    });
  });

  it('judges by the coturn that runs, where another one is installed', () => {
    const { coturn } = serverFacts(
      recordedServer({ [`${own} version`]: '4.5.2\n', [`${own} links`]: 'exe /opt/coturn/bin/turnserver\n' }),
    );
    expect(coturn).toEqual({ state: 'seen', value: { release: '4.5.2', packaged: null } });
  });

  it('judges a command line that has no file beside it', () => {
    const options = ['-n', '-L', '203.0.113.11', '--min-port=49152', '--max-port=65535'];
    const judgement = judged(
      recordedServer({
        ...without(config),
        [`${config} origin`]: 'none\n',
        [`${own} arguments`]: `/opt/coturn/bin/turnserver\n${options.join('\n')}\n`,
      }),
    );
    const place = `the command line of process ${recordedPid}`;
    expect(judgement.findings).toContainEqual(
      expect.objectContaining({
        code: 'OPEN_RELAY_CONFIGURED',
        evidence: expect.objectContaining({ file: place }) as unknown,
      }),
    );
    expect(judgement.findings).toContainEqual(
      expect.objectContaining({
        code: 'CONFIG_OTHER_FILE',
        evidence: expect.objectContaining({ path: 'its command line' }) as unknown,
      }),
    );
    expect(judgement.findings.map(({ code }) => code)).not.toContain('COMMAND_LINE_OPTIONS');
  });

  it('puts the ports that are not open below the coturn that does not run', () => {
    const { findings } = judged(recordedServer(noProcess));
    const missing = findings.filter(({ code }) => code === 'LISTENER_MISSING');
    expect(missing.length).toBeGreaterThan(0);
    for (const { causedBy } of missing) expect(causedBy).toBe('COTURN_NOT_RUNNING');
  });

  it('judges the port of TLS that is not open', () => {
    const judgement = judged(
      recordedServer({ 'sockets tcp': (text) => text.replaceAll(/^.*:14E5 .*\n/gm, '') }),
    );
    expect(codesOf(judgement)).toEqual(['LISTENER_MISSING']);
  });

  it('takes what the defaults of coturn ask for where it has not read its file', () => {
    const moved = (text: string): string => text.replace('listening-port=3478', 'listening-port=443');
    const port = recordedServer({ [`${config} text`]: moved });
    expect(codesOf(judged(port))).toContain('LISTENER_MISSING');
    const unread = { ...cases.CONFIG_NOT_READ.changes, [`${config} text`]: moved };
    expect(codesOf(judged(recordedServer(unread)))).not.toContain('LISTENER_MISSING');
  });

  it('says that a certificate was not asked for', () => {
    const { sections, ...evidence } = recordedServer();
    const unasked = Object.entries(sections).filter(([name]) => !name.startsWith('served '));
    const { notExamined } = judged({ ...evidence, sections: Object.fromEntries(unasked) });
    expect(notExamined.map(({ what }) => what)).toContain('the certificate that process 685 serves');
    expect(judged(recordedServer()).notExamined.map(({ what }) => what)).not.toContain(
      'the certificate that process 685 serves',
    );
  });

  it('names another program on a port', () => {
    const judgement = judged(recordedServer({ owners: (text) => text.replaceAll('turnserver', 'nginx') }));
    expect(new Set(codesOf(judgement))).toEqual(new Set(['LISTENER_OTHER_PROGRAM']));
  });

  it('counts the relay ports that are sent on to a container', () => {
    const dnat = (ports: string, protocol = 'udp'): string =>
      `*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p ${protocol} -m ${protocol} --dport ${ports} -j DNAT --to-destination 172.17.0.2\nCOMMIT\n`;
    const proxy = (port: number): string =>
      `/usr/bin/docker-proxy -proto udp -host-ip 0.0.0.0 -host-port ${port} -container-ip 172.17.0.2 -container-port ${port}\n`;
    const seen = (changes: Readonly<Record<string, Change>>): unknown => {
      const { findings } = judged(recordedServer({ ...container, ...changes }));
      const found = findings.find(({ code }) => code === 'CONTAINER_NETWORK');
      return found?.code === 'CONTAINER_NETWORK' && [found.evidence.published, found.severity];
    };
    const iptables = (text: string): Readonly<Record<string, Change>> => ({
      'iptables-legacy': text,
    });
    expect(seen(container)).toEqual([0, 'warning']);
    expect(seen(iptables(dnat('49160:49169')))).toEqual([10, 'warning']);
    expect(seen(iptables(dnat('49160:49169', 'tcp')))).toEqual([0, 'warning']);
    expect(seen({ ...iptables(dnat('49160:49169')), 'docker-proxy': proxy(49160) + proxy(49180) })).toEqual([
      11,
      'warning',
    ]);
    const few = { [`${config} text`]: (text: string) => `${text}\nmin-port=49160\nmax-port=49169\n` };
    expect(seen({ ...few, ...iptables(dnat('49000:49999')) })).toEqual([10, 'info']);
    expect(seen({ ...few, 'nft-json': { status: '127' } })).toEqual([null, 'info']);
  });

  it('judges rules of the machine by what the configuration promises', () => {
    const table = { table: { family: 'inet', name: 'filter', handle: 1 } };
    const chain = {
      chain: {
        ...{ family: 'inet', table: 'filter', name: 'input', handle: 1 },
        ...{ type: 'filter', hook: 'input', prio: 0, policy: 'drop' },
      },
    };
    const judgement = judged(recordedServer({ 'nft-json': JSON.stringify({ nftables: [table, chain] }) }));
    expect(codesOf(judgement)).toEqual([
      'FIREWALL_BLOCKS_LISTENER',
      'FIREWALL_BLOCKS_LISTENER',
      'FIREWALL_BLOCKS_LISTENER',
      'FIREWALL_BLOCKS_RELAY',
    ]);
  });

  it('reads the log of the process that runs, and no older one', () => {
    expect(recordedServer().sections['journal']?.text).toContain('cannot find private key file');
    const warning =
      '2026-11-21T16:33:52.300000+0000 one turnserver[685]: 0: : WARNING: cannot find private key file: /etc/turn/key.pem (1)\n';
    const judgement = judged(recordedServer({ journal: (text) => `${text}\n${warning}` }));
    expect(codesOf(judgement)).toEqual(['LOG_CERTIFICATE_MISSING']);
  });

  it('takes the crashes that systemd saw since somebody started coturn', () => {
    const crash =
      '2026-11-21T16:32:00.000000+0000 one systemd[1]: coturn.service: Main process exited, code=killed, status=11/SEGV\n';
    const journal = (text: string): string => `${crash}${text}`;
    expect(codesOf(judged(recordedServer({ journal })))).toEqual([]);
    const units = (text: string): string => text.replace('NRestarts=0', 'NRestarts=4');
    expect(codesOf(judged(recordedServer({ journal, units })))).toEqual(['LOG_SERVER_CRASHED']);
    const unread = recordedServer({
      journal: '',
      units: (text) => units(text).replace('Result=success', 'Result=core-dump'),
    });
    expect(codesOf(judged(unread))).toEqual(['LOG_SERVER_CRASHED']);
  });

  it('does not say that a file was not read where its modes have changed since', () => {
    const judgement = judged(
      recordedServer({
        [`${config} nodes`]: (text) => text.replace(/^(\d+) \d+ 640 (\d+) \d+/gm, '$1 0 600 $2 1795279300'),
      }),
    );
    expect(codesOf(judgement)).toEqual(['CONFIG_UNREADABLE']);
    expect(judgement.notExamined).toContainEqual({
      what: 'whether process 685 has read /etc/turnserver.conf',
      because: expect.stringContaining('how that was at its start is not known') as unknown,
      isRequired: false,
    });
  });

  it('says what nothing is healthy without, as another user than root', () => {
    const denied = { status: '1' };
    const judgement = judged(
      recordedServer({
        id: '1000\n',
        'nft-json': denied,
        [`${config} text`]: { status: 'denied' },
        [`${own} open`]: denied,
        journal: '',
        owners: '',
      }),
    );
    expect(codesOf(judgement)).toEqual([]);
    expect(judgement.notExamined.filter(({ isRequired }) => isRequired).map(({ what }) => what)).toEqual([
      '/etc/turnserver.conf and 1 more',
    ]);
    expect(judgement.notExamined.map(({ what }) => what)).toEqual(
      expect.arrayContaining([`the open files of process ${recordedPid}`, 'the log']),
    );
  });

  it('says the same of the same evidence', () => {
    expect(judged(recordedServer(cases.DAEMONS_SHARE_PORT.changes))).toEqual(
      judged(recordedServer(cases.DAEMONS_SHARE_PORT.changes)),
    );
  });
});

describe('serverFacts', () => {
  it('holds no secret that can be printed', () => {
    const evidence = recordedServer({
      [`${own} arguments`]: (text) => `${text}--static-auth-secret=Zx81kLmQp09a\n-u\njoe:hunter2hunter2\n`,
    });
    const facts = serverFacts(evidence);
    const text = JSON.stringify([facts, judged(evidence)]);
    expect(text).not.toMatch(/Zx81kLmQp09a|hunter2/);
    expect(facts.configurations[0]?.text).toMatchObject({ state: 'seen' });
  });
});
