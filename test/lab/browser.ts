import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** A page of a browser that is driven over the DevTools protocol. */
export interface Page {
  /** The value of an expression in the page, once its promise is settled. */
  readonly evaluate: (expression: string) => Promise<unknown>;
}

/** A headless Chromium of our own, with a microphone that beeps once a second. */
export class Browser {
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #input: Writable;
  readonly #waiting = new Map<number, (message: Answer) => void>();
  #last = 0;

  /**
   * @param within the command that runs it, such as `ip netns exec NAME`
   * @param preferences those of its profile that differ from what a new one has
   */
  constructor(within: readonly string[], options: readonly string[], preferences?: object) {
    this.#directory = mkdtempSync(join(tmpdir(), 'rtc-ops-browser-'));
    if (preferences !== undefined) {
      mkdirSync(join(this.#directory, 'Default'));
      writeFileSync(join(this.#directory, 'Default', 'Preferences'), JSON.stringify(preferences));
    }
    const command = [
      ...within,
      'chromium',
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--remote-debugging-pipe',
      `--user-data-dir=${this.#directory}`,
      '--autoplay-policy=no-user-gesture-required',
      ...options,
      'about:blank',
    ];
    const [program = '', ...args] = command;
    this.#process = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    const [, , , input, output] = this.#process.stdio;
    this.#input = input as Writable;
    let rest = '';
    (output as Readable).setEncoding('utf8').on('data', (text: string) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop() ?? '';
      for (const message of messages) this.#take(JSON.parse(message) as Answer);
    });
  }

  #take(answer: Answer): void {
    if (answer.method === 'Fetch.requestPaused') {
      void this.#call('Fetch.fulfillRequest', blankPage(answer), answer.sessionId);
      return;
    }
    if (answer.id === undefined) return;
    this.#waiting.get(answer.id)?.(answer);
    this.#waiting.delete(answer.id);
  }

  async #call(method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.#last;
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
    if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result ?? {};
  }

  /** Opens a page. An https one needs no server: each of its requests is answered with an empty document. */
  async open(url: string): Promise<Page> {
    const { targetId } = await this.#call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.#call('Target.attachToTarget', { targetId, flatten: true });
    const session = String(sessionId);
    if (url.startsWith('https:'))
      await this.#call('Fetch.enable', { patterns: [{ urlPattern: 'https://*' }] }, session);
    await this.#call('Page.enable', {}, session);
    await this.#call('Page.navigate', { url }, session);
    await sleep(800);
    return {
      evaluate: async (expression) => {
        const params = { expression, awaitPromise: true, returnByValue: true };
        const { result, exceptionDetails } = await this.#call('Runtime.evaluate', params, session);
        if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails).slice(0, 500));
        return (result as { value?: unknown }).value;
      },
    };
  }

  async deny(origin: string, permission: string): Promise<void> {
    await this.#call('Browser.setPermission', {
      origin,
      permission: { name: permission },
      setting: 'denied',
    });
  }

  /** Where files go that pages save. */
  async saveTo(directory: string): Promise<void> {
    await this.#call('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: directory });
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    await this.#call('Browser.close', {}).catch(() => this.#process.kill('SIGKILL'));
    await ended;
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: { readonly requestId?: string };
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

function blankPage({ params }: Answer): object {
  return {
    requestId: params?.requestId,
    responseCode: 200,
    responseHeaders: [{ name: 'content-type', value: 'text/html' }],
    body: Buffer.from('<!doctype html><body></body>').toString('base64'),
  };
}
