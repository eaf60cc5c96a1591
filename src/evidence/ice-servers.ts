import { parse as parseYaml } from 'yaml';
import { RtcOpsError, reasonOf } from '../model/error.ts';
import type { IceServersFacts, IceServersProblem } from '../model/ice-servers.ts';
import { Secret } from '../model/secret.ts';
import { isTurn, parseTurnUri, type TurnUri } from '../model/turn-uri.ts';

export interface IceServersReading {
  readonly facts: IceServersFacts;
  readonly uris: readonly TurnUri[];
  /** Of the first TURN server that has both. */
  readonly credential: { readonly username: string; readonly password: Secret } | null;
}

const mostServers = 100;

/**
 * Reads what an application gives to RTCPeerConnection: a list of servers, an object with such a list as `iceServers`, as JSON
 * or as a literal of JavaScript, or the answer of a TURN REST API (`username`, `password`, `uris`).
 */
export function readIceServers(text: string, file: string): IceServersReading {
  const reader = new Reader();
  reader.whole(text);
  const hasTurn = reader.uris.some(isTurn);
  const isBroken = reader.problems.some(({ kind }) => kind !== 'no-turn');
  if (!hasTurn && !isBroken)
    reader.problem('no-turn', '', 'none of its URLs is one of a TURN server', 'turn:TURN_SERVER');
  const { uris, problems, credential } = reader;
  const urls = reader.urls;
  return { facts: { file, urls, problems }, uris, credential };
}

class Reader {
  readonly uris: TurnUri[] = [];
  readonly urls: string[] = [];
  readonly problems: IceServersProblem[] = [];
  credential: IceServersReading['credential'] = null;

  problem(kind: IceServersProblem['kind'], at: string, text: string, instead: string | null = null): void {
    this.problems.push({ kind, at, text, instead });
  }

  whole(text: string): void {
    const value = this.#parsed(text);
    if (value === undefined) return;
    if (Array.isArray(value)) {
      this.#list(value);
      return;
    }
    if (!isObject(value)) {
      this.problem('refused', '', 'it is no list of servers', "[{ urls: 'turn:TURN_SERVER' }]");
      return;
    }
    const { iceServers, uris, password, urls, url } = value;
    if (iceServers !== undefined) {
      if (Array.isArray(iceServers)) this.#list(iceServers);
      else
        this.problem('refused', 'iceServers', `it is ${nameOf(iceServers)} and no list`, 'iceServers: […]');
    } else if (uris !== undefined && password !== undefined) {
      // The REST API (draft-uberti-behave-turn-rest-00 §2.2), which the application turns into one entry.
      this.#server({ urls: uris, username: value['username'], credential: password }, '');
    } else if (urls !== undefined || url !== undefined) {
      this.problem('refused', '', 'it is one server and no list of servers', '[ … ]');
      this.#server(value, '');
    } else this.problem('refused', '', 'it has no iceServers', '{ iceServers: [ … ] }');
  }

  #parsed(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      // What stands around the place may be a password.
      const [place] = /position \d+/.exec(reasonOf(error)) ?? [];
      const because = `it is no JSON${place === undefined ? '' : ` (${place})`}`;
      // A literal of JavaScript, as it stands in a page, is one of YAML too.
      if (!/^\s*[[{]/.test(text)) {
        this.problem('refused', '', because);
        return undefined;
      }
      try {
        return parseYaml(text);
      } catch {
        this.problem('refused', '', because);
        return undefined;
      }
    }
  }

  #list(servers: readonly unknown[]): void {
    for (const [index, server] of servers.slice(0, mostServers).entries()) {
      const at = `iceServers[${index}]`;
      if (isObject(server)) this.#server(server, at);
      else
        this.problem('refused', at, `it is ${nameOf(server)} and no object`, "{ urls: 'turn:TURN_SERVER' }");
    }
  }

  #server(server: Readonly<Record<string, unknown>>, at: string): void {
    const { urls } = server;
    if (urls === undefined) {
      const other = ['url', 'uris', 'uri', 'URLs', 'Urls'].find((name) => server[name] !== undefined);
      this.problem(
        'refused',
        at,
        other === undefined ? 'it has no urls' : `it has ${other} and no urls`,
        'urls',
      );
      return;
    }
    const list: readonly unknown[] = Array.isArray(urls) ? urls : [urls];
    if (list.length === 0) this.problem('refused', `${at}.urls`, 'it is empty');
    const isOfTurn = list
      .slice(0, mostServers)
      .map((url, index) => this.#url(url, Array.isArray(urls) ? `${at}.urls[${index}]` : `${at}.urls`))
      .includes(true);
    if (isOfTurn) this.#login(server, at);
  }

  /** @returns whether it is one of a TURN server, right or not */
  #url(url: unknown, at: string): boolean {
    if (typeof url !== 'string') {
      this.problem('refused', at, `it is ${nameOf(url)} and no text`);
      return false;
    }
    const [, scheme = '', place = ''] = /^(turns?|stuns?):([^?]*)/i.exec(url) ?? [];
    if (/^(?:turns|stuns):[^?@]*\?transport=udp$/i.test(url)) {
      const instead = `${scheme.toLowerCase()}:${place}?transport=tcp`;
      this.problem('dtls', at, `${url} asks for DTLS over UDP`, instead);
      return true;
    }
    try {
      this.uris.push(parseTurnUri(url));
      this.urls.push(url);
    } catch (error) {
      if (!(error instanceof RtcOpsError)) throw error;
      this.problem('refused', at, error.message, error.hint?.replace(/^Write /, '') ?? null);
    }
    return /^turns?$/i.test(scheme);
  }

  /** W3C WebRTC §4.4.1.6: a TURN server without a username or a credential is an InvalidAccessError. */
  #login({ username, credential }: Readonly<Record<string, unknown>>, at: string): void {
    for (const [name, value] of Object.entries({ username, credential })) {
      if (value === undefined || value === null || value === '')
        this.problem('refused', at, `its TURN server has no ${name}`, name);
      else if (typeof value !== 'string')
        this.problem('refused', `${at}.${name}`, `it is ${nameOf(value)} and no text`);
    }
    if (typeof username !== 'string' || typeof credential !== 'string') return;
    if (username === '' || credential === '') return;
    this.credential ??= { username, password: new Secret(credential) };
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
