/**
 * `node --import ./test/support/typescript-loader.js test/lab/record-calls.ts DIRECTORY [NAME…]`: makes the calls of
 * `call-scenarios.ts` in a headless Chromium, with a real coturn and a firewall, all in a network namespace of its own, and
 * saves what a user would send: the dump of chrome://webrtc-internals, that of rtcstats, getStats() and the SDP of side a.
 * Needs root, chromium, coturn, iproute2 and nftables.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Browser, type Page } from './browser.ts';
import { callScenarios, type CallScenario } from './call-scenarios.ts';

const [directory = 'recordings', ...names] = process.argv.slice(2);
const target = resolve(directory);
const namespace = `rtcops-calls-${process.pid}`;
const within = ['ip', 'netns', 'exec', namespace];

function run(...command: string[]): void {
  const [program = '', ...args] = command;
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function inside(...command: string[]): void {
  run(...within, ...command);
}

function buildNetwork(): void {
  run('ip', 'netns', 'add', namespace);
  inside('ip', 'link', 'set', 'lo', 'up');
  for (const [name, address] of [
    ['wan0', '203.0.113.10/24'],
    ['lan0', '198.51.100.2/24'],
  ] as const) {
    // A device whose other end is in the same namespace: nothing leaves it.
    inside('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}-end`);
    inside('ip', 'link', 'set', `${name}-end`, 'up');
    inside('ip', 'address', 'add', address, 'dev', name);
    inside('ip', 'link', 'set', name, 'up');
  }
  inside('ip', 'route', 'add', 'default', 'dev', 'lan0');
}

function setFirewall(rule: string | undefined): void {
  inside('nft', 'flush', 'ruleset');
  if (rule === undefined) return;
  inside('nft', 'add', 'table', 'inet', 'lab');
  inside('nft', 'add', 'chain', 'inet', 'lab', 'in', '{ type filter hook input priority 0 ; }');
  inside('nft', 'add', 'rule', 'inet', 'lab', 'in', rule);
}

/** The code of the page: two connections, what is between them, and what is wrong. */
function callCode(scenario: CallScenario): string {
  const {
    configuration = '{}',
    before = '',
    after = '',
    onOffer = '',
    onAnswer = '',
    onCandidate = '',
  } = scenario;
  const { onTrack = 'const audio = new Audio(); audio.srcObject = stream; audio.play(); keep.push(audio);' } =
    scenario;
  return `(async () => {
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    const keep = (window.keep = []);
    const side = async () => {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const pc = new RTCPeerConnection(${configuration});
      const microphone = stream.getAudioTracks()[0];
      pc.addTrack(microphone, stream);
      pc.ontrack = ({ streams: [stream] }) => { ${onTrack} };
      return { pc, microphone };
    };
    const a = (window.a = await side());
    const b = (window.b = await side());
    ${before}
    const pass = (from, to) => {
      from.pc.onicecandidate = async ({ candidate }) => {
        if (candidate === null) return;
        ${onCandidate}
        while (to.pc.remoteDescription === null) await wait(20);
        await to.pc.addIceCandidate(candidate).catch(() => undefined);
      };
    };
    pass(a, b);
    pass(b, a);
    const description = async (from, type) => {
      let { sdp } = from.pc.localDescription;
      if (type === 'offer') { ${onOffer} } else { ${onAnswer} }
      return { type, sdp };
    };
    await a.pc.setLocalDescription();
    const offer = await description(a, 'offer');
    if (offer === undefined) return '';
    await b.pc.setRemoteDescription(offer);
    await b.pc.setLocalDescription();
    const answer = await description(b, 'answer');
    await a.pc.setRemoteDescription(answer);
    for (let i = 0; i < 60 && a.pc.connectionState !== 'connected'; i++) await wait(50);
    window.then = async () => { ${after} };
    const stats = [...(await a.pc.getStats()).values()];
    const pair = stats.find(({ type, nominated }) => type === 'candidate-pair' && nominated);
    return String(stats.find(({ id }) => id === pair?.localCandidateId)?.port ?? '');
  })()`;
}

const save = (button: string): string => `document.getElementById('${button}').click()`;

async function record(scenario: CallScenario): Promise<void> {
  const folder = join(target, scenario.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  setFirewall(scenario.nft);
  const coturn = [
    'turnserver',
    '-n',
    '-a',
    '-u',
    'alice:right',
    '-r',
    'example',
    '-L',
    '203.0.113.10',
    '-E',
    '203.0.113.10',
  ];
  const quiet = [
    '--no-cli',
    '--no-tls',
    '--no-dtls',
    '--log-file=stdout',
    '--simple-log',
    '-v',
    '--pidfile=/dev/null',
  ];
  const [program = '', ...args] = [...within, ...coturn, ...quiet, ...(scenario.coturn ?? [])];
  const server = spawn(program, args, { stdio: 'ignore' });
  const browser = new Browser(within, [
    '--use-fake-device-for-media-stream',
    ...(scenario.denied ? [] : ['--use-fake-ui-for-media-stream']),
    ...(scenario.browser ?? []),
  ]);
  try {
    await browser.saveTo(folder);
    let internals: Page | null = null;
    if (scenario.openInternalsLate !== true) internals = await browser.open('chrome://webrtc-internals');
    const page = await browser.open('https://app.rtc-ops.test/');
    if (scenario.denied === true) await browser.deny('https://app.rtc-ops.test', 'microphone');
    const port = await page.evaluate(callCode(scenario)).catch((error: unknown) => {
      process.stderr.write(`${scenario.name}: ${String(error).slice(0, 200)}\n`);
      return '';
    });
    internals ??= await browser.open('chrome://webrtc-internals');
    const samples = samplesOf(page, scenario.forMs);
    await sleep(1000);
    if (scenario.nftAfter !== undefined) setFirewall(scenario.nftAfter.replace('PORT_OF_A', String(port)));
    await page.evaluate('window.then?.()');
    await sleep(scenario.forMs);
    writeFileSync(join(folder, 'getstats.json'), JSON.stringify(await samples));
    const sdp = await page.evaluate(
      "window.a === undefined ? '' : [a.pc.localDescription?.sdp, a.pc.remoteDescription?.sdp].filter(Boolean).join('')",
    );
    writeFileSync(join(folder, 'session.sdp'), String(sdp));
    await internals.evaluate(save('dump-click-target'));
    await internals.evaluate(save('dump-click-target-rtcstats'));
    await sleep(1500);
  } finally {
    await browser.close();
    server.kill();
  }
  for (const name of readdirSync(folder))
    if (name.endsWith('.crdownload'))
      renameSync(join(folder, name), join(folder, name.replace('.crdownload', '')));
}

/** What side a says of itself once a second. */
async function samplesOf(page: Page, forMs: number): Promise<unknown[]> {
  const samples: unknown[] = [];
  const end = Date.now() + forMs;
  while (Date.now() < end) {
    samples.push(
      await page.evaluate(
        'window.a === undefined ? [] : a.pc.getStats().then((report) => [...report.values()])',
      ),
    );
    await sleep(1000);
  }
  return samples;
}

const chosen = callScenarios.filter(({ name }) => names.length === 0 || names.includes(name));
buildNetwork();
try {
  for (const scenario of chosen) {
    process.stderr.write(`${scenario.name} …\n`);
    await record(scenario);
  }
} finally {
  run('ip', 'netns', 'delete', namespace);
}
