/**
 * `node --import ./test/support/typescript-loader.js test/lab/record-calls.ts DIRECTORY [NAME…]`: makes the calls of
 * `call-scenarios.ts` in a headless Chromium, with a real coturn and a firewall, all in a network namespace of its own, and
 * saves what a user would send: the dump of chrome://webrtc-internals, that of rtcstats, getStats() and the SDP of side a,
 * and what the operator of the server would: its log and a capture. With `FIREFOX=PROGRAM` in the environment the calls
 * are made in that Firefox, and the pages and reports of about:webrtc are saved.
 * With `RTCSTATS=SCRIPT` that script is run in the page before the call; what a library of rtcstats sends to its server it
 * has to put into `window.rtcstatsLines`, and it is saved too.
 * Needs root, chromium, coturn, iproute2, nftables and tcpdump.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Browser, type Page } from './browser.ts';
import {
  buildNetwork,
  ended,
  removeNetwork,
  setFirewall,
  startCapture,
  startServer,
  startSlowLine,
  within,
} from './call-network.ts';
import { callCode } from './call-page.ts';
import { callScenarios, type CallScenario } from './call-scenarios.ts';
import { Firefox } from './firefox.ts';

const [directory = 'recordings', ...names] = process.argv.slice(2);
const target = resolve(directory);
const firefox = process.env['FIREFOX'];
const library = process.env['RTCSTATS'];

const saved = (folder: string): string[] => readdirSync(folder).filter((name) => name.includes('_dump'));

const save = (button: string): string => `document.getElementById('${button}').click()`;

async function record(scenario: CallScenario): Promise<void> {
  const folder = join(target, scenario.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  setFirewall(scenario.nft);
  const server = startServer(scenario.coturn ?? [], join(folder, 'server.log'));
  const line = scenario.slowLine === undefined ? null : startSlowLine(scenario.slowLine);
  const capture = await startCapture(join(folder, 'capture.pcap'));
  try {
    if (firefox === undefined) await recordChromium(scenario, folder);
    else await recordFirefox(firefox, scenario, folder);
  } finally {
    await ended(capture);
    if (line !== null) await ended(line);
    // Sessions that nobody ended are logged when the server ends.
    await ended(server);
  }
}

async function recordChromium(scenario: CallScenario, folder: string): Promise<void> {
  const browser = new Browser(
    within,
    [
      ...(scenario.withoutMicrophone === true ? [] : ['--use-fake-device-for-media-stream']),
      // A page that may use the microphone is told the addresses of the machine.
      ...(scenario.denied === true || scenario.synthesized === true
        ? []
        : ['--use-fake-ui-for-media-stream']),
      ...(scenario.browser ?? []),
    ],
    scenario.preferences,
  );
  try {
    await browser.saveTo(folder);
    let internals: Page | null = null;
    const address = `chrome://webrtc-internals${scenario.keepsClosed === true ? '?keepRemovedConnections' : ''}`;
    if (scenario.openInternalsLate !== true) internals = await browser.open(address);
    const page = await browser.open('https://app.rtc-ops.test/');
    if (scenario.denied === true) await browser.deny('https://app.rtc-ops.test', 'microphone');
    if (library !== undefined) await page.evaluate(readFileSync(library, 'utf8'));
    const port = await page.evaluate(callCode(scenario)).catch((error: unknown) => {
      process.stderr.write(`${scenario.name}: ${String(error).slice(0, 200)}\n`);
      return '';
    });
    internals ??= await browser.open(address);
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
    const trickled = await page.evaluate("(window.a?.trickled ?? []).join('\\n')");
    writeFileSync(join(folder, 'candidates.txt'), `${String(trickled)}\n`);
    if (library !== undefined) {
      const lines = await page.evaluate("window.rtcstatsLines.join('\\n')");
      writeFileSync(join(folder, 'rtcstats-lines'), `${String(lines)}\n`);
    }
    if (scenario.isLeft === true) {
      await page.evaluate("location.href = 'about:blank'");
      await sleep(1000);
    }
    await internals.evaluate(save('dump-click-target'));
    await internals.evaluate(save('dump-click-target-rtcstats'));
    await sleep(1500);
    for (let i = 0; i < 20 && saved(folder).length < 2; i++) await sleep(500);
    // Who hangs up gives the relays back, and only then does the server say what went through them.
    await page.evaluate('[window.a, window.b].forEach((side) => side?.pc.close())');
    await sleep(1000);
  } finally {
    await browser.close();
  }
  for (const name of readdirSync(folder))
    if (name.endsWith('.crdownload'))
      renameSync(join(folder, name), join(folder, name.replace('.crdownload', '')));
}

async function recordFirefox(program: string, scenario: CallScenario, folder: string): Promise<void> {
  const browser = new Firefox(program, within);
  try {
    await browser.open();
    const port = await browser.run(callCode(scenario));
    await sleep(1000);
    if (scenario.nftAfter !== undefined) setFirewall(scenario.nftAfter.replace('PORT_OF_A', String(port)));
    await browser.evaluate('window.then?.()');
    await sleep(scenario.forMs);
    const { html, text, copied, histories } = await browser.saved();
    // A byte a character, as Firefox writes it.
    writeFileSync(join(folder, 'aboutWebrtc.html'), html, 'latin1');
    writeFileSync(join(folder, 'about-webrtc.txt'), text);
    for (const [index, each] of copied.entries()) writeFileSync(join(folder, `report-${index}.json`), each);
    for (const [index, each] of histories.entries())
      writeFileSync(join(folder, `history-${index}.json`), each);
  } finally {
    await browser.close();
  }
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
  removeNetwork();
}
