import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const preferences = `
user_pref("media.navigator.streams.fake", true);
user_pref("media.navigator.permission.disabled", true);
user_pref("media.autoplay.default", 0);
user_pref("media.peerconnection.ice.obfuscate_host_addresses", false);
user_pref("media.peerconnection.ice.loopback", true);
user_pref("media.aboutwebrtc.hist.enabled", true);
user_pref("media.getusermedia.insecure.enabled", true);
user_pref("media.devices.insecure.enabled", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.dns.disabled", true);
`;

const port = 2828;
const page = 'http://localhost:8899/';

/** A process in the network of the browser: a server of one empty page, and a pipe to Marionette once that listens. */
const companion = `
const net = require('node:net');
require('node:http').createServer((_, response) => {
  response.setHeader('content-type', 'text/html');
  response.end('<!doctype html><body></body>');
}).listen(8899, '127.0.0.1');
const connect = () => {
  const socket = net.connect(${port}, '127.0.0.1');
  socket.on('error', () => setTimeout(connect, 300));
  socket.on('connect', () => { process.stdin.pipe(socket); socket.pipe(process.stdout); });
};
connect();`;

/** Chrome code of Firefox: what stands behind “Save Page” and “Copy Report” of about:webrtc, without their dialogs. */
const savedPage = `
  const resolve = arguments[arguments.length - 1];
  (async () => {
    const window = Services.wm.getMostRecentWindow('navigator:browser');
    const document = window.gBrowser.selectedBrowser.contentDocument;
    const pause = (ms) => new Promise((done) => window.setTimeout(done, ms));
    for (let i = 0; i < 40 && document.querySelector('.peer-connection') === null; i++) await pause(250);
    await pause(1000);
    for (const each of document.querySelectorAll('.fold-closed')) each.classList.remove('fold-closed');
    const content = document.querySelector('#content');
    for (const each of content.querySelectorAll('.no-print')) each.style.setProperty('display', 'none');
    const html = content.outerHTML;
    const text = content.innerText;
    const { reports } = await new Promise((done) => window.WebrtcGlobalInformation.getAllStats(done));
    const copied = reports.map((each) => JSON.stringify({ ...each }, null, 2));
    const pcids = await new Promise((done) => window.WebrtcGlobalInformation.getStatsHistoryPcIds(done));
    const histories = [];
    for (const pcid of pcids)
      histories.push(JSON.stringify(await new Promise((done) => window.WebrtcGlobalInformation.getStatsHistorySince(done, pcid)), null, 2));
    return { html, text, copied, histories };
  })().then(resolve, (error) => resolve({ error: String(error) }));`;

/** What a user of Firefox can save of its calls. */
export interface SavedPages {
  /** As “Save Page” writes it: a byte a character. */
  readonly html: string;
  /** The page, marked and copied. */
  readonly text: string;
  /** “Copy Report” and “Copy Report History” of each connection. */
  readonly copied: readonly string[];
  readonly histories: readonly string[];
}

/** A headless Firefox of our own, driven over Marionette, with a microphone that hums. */
export class Firefox {
  readonly #process: ChildProcess;
  readonly #directory = mkdtempSync(join(tmpdir(), 'rtc-ops-firefox-'));
  readonly #within: readonly string[];
  readonly #waiting = new Map<number, (answer: readonly unknown[]) => void>();
  #link: ChildProcess | null = null;
  #last = 0;

  /** @param within the command that runs it, such as `ip netns exec NAME` */
  constructor(program: string, within: readonly string[]) {
    this.#within = within;
    writeFileSync(join(this.#directory, 'user.js'), preferences);
    const [first, ...rest] = [...within, program];
    const args = [...rest, '--headless', '--marionette', '--no-remote', '--remote-allow-system-access'];
    this.#process = spawn(first, [...args, '--profile', this.#directory], {
      stdio: 'ignore',
      env: { ...process.env, HOME: this.#directory },
    });
  }

  async open(): Promise<void> {
    const [first, ...rest] = [...this.#within, process.execPath, '-e', companion];
    const link = spawn(first, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#link = link;
    let pending = Buffer.alloc(0);
    const greeted = new Promise<void>((resolve) => {
      link.stdout.on('data', (chunk: Buffer) => {
        pending = Buffer.concat([pending, chunk]);
        for (let at = pending.indexOf(':'); at > 0; at = pending.indexOf(':')) {
          const length = Number(pending.subarray(0, at).toString());
          if (pending.length < at + 1 + length) return;
          const message: unknown = JSON.parse(pending.subarray(at + 1, at + 1 + length).toString());
          pending = pending.subarray(at + 1 + length);
          if (Array.isArray(message)) this.#waiting.get(Number(message[1]))?.(message);
          else resolve();
        }
      });
    });
    await greeted;
    await this.#call('WebDriver:NewSession', {});
    await this.#call('WebDriver:SetTimeouts', { script: 120_000 });
  }

  async #call(name: string, parameters: object): Promise<unknown> {
    const id = ++this.#last;
    const text = JSON.stringify([0, id, name, parameters]);
    const [, , error, result] = await new Promise<readonly unknown[]>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#link?.stdin?.write(`${Buffer.byteLength(text)}:${text}`);
    });
    if (error !== null) throw new Error(`${name}: ${JSON.stringify(error).slice(0, 800)}`);
    return result;
  }

  /** Opens an empty page that may use the microphone, and runs code in it. */
  async run(expression: string): Promise<unknown> {
    await this.#call('WebDriver:Navigate', { url: page });
    return this.evaluate(expression);
  }

  async evaluate(expression: string): Promise<unknown> {
    const script = `const done = arguments[arguments.length - 1]; Promise.resolve(${expression}).then(done, (error) => done('error: ' + error));`;
    const answer = await this.#call('WebDriver:ExecuteAsyncScript', { script, args: [], sandbox: null });
    return (answer as { value?: unknown }).value;
  }

  /** Opens about:webrtc beside the page. */
  async saved(): Promise<SavedPages> {
    const made = await this.#call('WebDriver:NewWindow', { type: 'tab', focus: true });
    await this.#call('WebDriver:SwitchToWindow', { handle: (made as { handle: string }).handle });
    await this.#call('WebDriver:Navigate', { url: 'about:webrtc' });
    await sleep(1500);
    await this.#call('Marionette:SetContext', { value: 'chrome' });
    const answer = await this.#call('WebDriver:ExecuteAsyncScript', { script: savedPage, args: [] });
    await this.#call('Marionette:SetContext', { value: 'content' });
    return (answer as { value: SavedPages }).value;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    await this.#call('Marionette:Quit', { flags: ['eForceQuit'] }).catch(() => this.#process.kill('SIGKILL'));
    await ended;
    this.#link?.kill();
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
