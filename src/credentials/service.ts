import cors from '@fastify/cors';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Endpoint } from '../model/endpoint.ts';
import { RtcOpsError, reasonOf } from '../model/error.ts';
import type { Secret } from '../model/secret.ts';
import { tokenBucket, type TokenBucket } from '../model/token-bucket.ts';
import { formatTurnUri, type TurnUri } from '../model/turn-uri.ts';
import { KeyRing, type ApiKey, type Rate } from './api-keys.ts';
import { issuerWith, type IssuedCredential } from './issue.ts';
import { forServers, iceServersOf } from './server-credential.ts';
import { serviceMetrics } from './service-metrics.ts';
import { readKey, readRequest } from './service-request.ts';

/** What can change while the service runs. */
export interface ServiceSettings {
  /** The one that issues. */
  readonly secret: Secret;
  readonly uris: readonly TurnUri[];
  /** Null: whoever reaches the service gets credentials. */
  readonly keys: readonly ApiKey[] | null;
  /** How long credentials are good for, at most. */
  readonly ttlSeconds: number;
  /** How often each key may ask that has no rate of its own; null for as often as it likes. */
  readonly rate: Rate | null;
}

export interface ServiceOptions {
  readonly listen: Endpoint;
  readonly settings: ServiceSettings;
  /** The origins whose pages may ask (`https://app.example.com`), or `*`. */
  readonly corsOrigins: readonly string[];
  readonly now: () => Date;
  /** After each answer. `route` is the path as declared, `key` the name of the API key. */
  readonly onAnswer?: (answer: Answer) => void;
  /** A fault of ours; the client is told nothing of it. */
  readonly onFault: (error: unknown) => void;
}

export interface Answer {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  readonly key: string | null;
}

// What is asked for fits into a few hundred bytes; what takes longer than seconds to say it holds a socket for nothing.
const mostBodyBytes = 4096;
const mostHeaderBytes = 8192;
const requestTimeoutMs = 5000;
const idleTimeoutMs = 10_000;
const mostConnections = 4096;
// Requests under way are answered within milliseconds; after this they belong to clients that do not read.
const stopTimeoutMs = 5000;

/** Who asks, with what is left of the rate. */
interface Client {
  readonly name: string;
  readonly ttlSeconds: number;
  readonly bucket: TokenBucket | null;
}

/** The settings in the form in which a request needs them. */
interface Prepared {
  readonly settings: ServiceSettings;
  readonly issue: ReturnType<typeof issuerWith>;
  readonly urisJson: string;
  readonly ring: KeyRing | null;
  readonly clients: ReadonlyMap<string, Client>;
}

declare module 'fastify' {
  interface FastifyRequest {
    clientName: string | null;
    startedAtMs: number;
  }
}

/** The HTTP service that gives out credentials (draft-uberti-behave-turn-rest-00). */
export class CredentialService {
  readonly #server: FastifyInstance;
  readonly #options: ServiceOptions;
  readonly #metrics = serviceMetrics();
  #prepared: Prepared;

  private constructor(options: ServiceOptions) {
    this.#options = options;
    this.#prepared = prepared(options.settings);
    this.#metrics.reloaded(options.now(), true);
    this.#server = fastify({
      bodyLimit: mostBodyBytes,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: idleTimeoutMs,
      connectionTimeout: idleTimeoutMs,
      exposeHeadRoutes: false,
      forceCloseConnections: 'idle',
      // Its own answer to a path that cannot be decoded repeats it, with the key that may be in it.
      frameworkErrors: (_error, _request, reply) => void refuse(reply, 400, 'the path cannot be read'),
      http: {
        maxHeaderSize: mostHeaderBytes,
        headersTimeout: requestTimeoutMs,
        // The time-outs above are only looked at so often; the default is 30 s.
        connectionsCheckingInterval: 1000,
      },
    });
    this.#server.server.maxConnections = mostConnections;
  }

  /** @throws what listening throws: the address is not ours, or in use */
  static async open(options: ServiceOptions): Promise<CredentialService> {
    const service = new CredentialService(options);
    await service.#define();
    const { address, port } = options.listen;
    await service.#server.listen({ host: address, port });
    return service;
  }

  /** Where it listens. */
  get local(): Endpoint {
    const address = this.#server.server.address();
    if (address === null || typeof address === 'string') throw new RtcOpsError('bug', 'it does not listen');
    return { address: address.address, port: address.port };
  }

  /** From the next request on. Credentials that were issued stay good for as long as the server knows their secret. */
  reload(settings: ServiceSettings): void {
    this.#prepared = prepared(settings);
    this.#metrics.reloaded(this.#options.now(), true);
  }

  /** The settings could not be read again; those before stay. */
  reloadFailed(): void {
    this.#metrics.reloaded(this.#options.now(), false);
  }

  /** Takes no more, answers what is under way, and ends. */
  async close(): Promise<void> {
    const { server } = this.#server;
    const cut = setTimeout(() => server.closeAllConnections(), stopTimeoutMs);
    try {
      await this.#server.close();
    } finally {
      clearTimeout(cut);
    }
  }

  async #define(): Promise<void> {
    const server = this.#server;
    const { corsOrigins } = this.#options;
    server.addHook('onRequest', (request, _reply, done) => {
      request.startedAtMs = performance.now();
      done();
    });
    // Of each route, also of those for preflight requests, that is registered below.
    server.addHook('onRoute', (route) => {
      if (countsItself(route.url)) return;
      route.onResponse = (request, reply, done) => {
        this.#answered(request, reply);
        done();
      };
    });
    if (corsOrigins.length > 0) {
      await server.register(cors, {
        origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
        methods: ['GET', 'POST'],
        allowedHeaders: ['authorization', 'content-type', 'x-api-key'],
        maxAge: 600,
      });
    }
    server.decorateRequest('clientName', null);
    server.decorateRequest('startedAtMs', 0);
    server.removeContentTypeParser('text/plain');
    server.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );
    server.setErrorHandler((error, request, reply) => {
      this.#failed(error, reply);
      if (countsItself(request.routeOptions.url)) this.#answered(request, reply);
    });
    server.setNotFoundHandler((request, reply) => {
      refuse(reply, 404, 'there is nothing here; ask / or /ice-servers');
      this.#answered(request, reply);
    });
    for (const [url, answer] of [
      ['/', this.#turnRest.bind(this)],
      ['/ice-servers', this.#iceServers.bind(this)],
    ] as const) {
      const handler = (request: FastifyRequest, reply: FastifyReply): void => {
        answer(request, reply);
        this.#answered(request, reply);
      };
      server.route({ method: ['GET', 'POST'], url, handler });
    }
    server.get('/healthz', (_request, reply) => reply.send({ status: 'ok' }));
    server.get('/metrics', async (request, reply) => {
      if (this.#client(request, {}) === null) return unauthorized(reply);
      return reply.type(this.#metrics.contentType).send(await this.#metrics.text());
    });
  }

  #turnRest(request: FastifyRequest, reply: FastifyReply): void {
    const issued = this.#issue(request, reply, true);
    if (issued === null) return;
    const { username, password, ttlSeconds } = issued;
    const { urisJson } = this.#prepared;
    const [user, pass] = [JSON.stringify(username), JSON.stringify(password.reveal())];
    // Most of it is the same each time.
    reply
      .type('application/json; charset=utf-8')
      .send(`{"username":${user},"password":${pass},"ttl":${ttlSeconds},"uris":${urisJson}}`);
  }

  #iceServers(request: FastifyRequest, reply: FastifyReply): void {
    const issued = this.#issue(request, reply, false);
    if (issued === null) return;
    const { ttlSeconds, expiresAt } = issued;
    const { secret, uris } = this.#prepared.settings;
    reply.send({ iceServers: iceServersOf(forServers(issued, uris, secret)), ttl: ttlSeconds, expiresAt });
  }

  /** Null when the request was refused, which is answered then. */
  #issue(request: FastifyRequest, reply: FastifyReply, needsService: boolean): IssuedCredential | null {
    reply.header('cache-control', 'no-store');
    const parameters = parametersOf(request);
    const client = this.#client(request, parameters);
    if (client === null) {
      unauthorized(reply);
      return null;
    }
    if (client.bucket?.take(performance.now()) === false) {
      refuse(reply.header('retry-after', '1'), 429, 'this key asks more often than it may');
      return null;
    }
    const { username, ttlSeconds = client.ttlSeconds } = readRequest(parameters, needsService);
    const lifetime = { ttlSeconds: Math.min(ttlSeconds, client.ttlSeconds) };
    const issued = this.#prepared.issue(lifetime, username, this.#options.now());
    this.#metrics.issued(client.name);
    return issued;
  }

  /** Null for a request without an API key that is known. */
  #client(request: FastifyRequest, parameters: Readonly<Record<string, unknown>>): Client | null {
    const { ring, clients } = this.#prepared;
    let name = anybody;
    if (ring !== null) {
      const given = readKey(request.headers, parameters);
      const key = given === null ? null : ring.find(given);
      if (key === null) return null;
      name = key.name;
    }
    request.clientName = name;
    return clients.get(name) ?? null;
  }

  #answered(request: FastifyRequest, reply: FastifyReply): void {
    const route = request.routeOptions.url ?? 'none';
    const durationMs = performance.now() - request.startedAtMs;
    this.#metrics.request(route, reply.statusCode, durationMs / 1000);
    this.#options.onAnswer?.({
      method: request.method,
      route,
      status: reply.statusCode,
      durationMs,
      key: request.clientName,
    });
  }

  #failed(error: unknown, reply: FastifyReply): FastifyReply {
    if (error instanceof RtcOpsError && error.code === 'usage') return refuse(reply, 400, error.message);
    const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
    if (status >= 400 && status < 500) return refuse(reply, status, reasonOf(error));
    this.#options.onFault(error);
    return refuse(reply, 500, 'a fault of this service; its log says more');
  }
}

/**
 * Whether a route counts its answers as it gives them: those that are asked all the time, for which onResponse would take a
 * tenth of a request, and what is no route at all.
 */
function countsItself(route: string | undefined): boolean {
  return route === undefined || route === '/' || route === '/ice-servers';
}

/** The name of whoever asks where no key is needed. */
const anybody = 'anybody';

function prepared(settings: ServiceSettings): Prepared {
  const { keys, ttlSeconds, rate, secret, uris } = settings;
  const clients = new Map<string, Client>();
  for (const key of keys ?? [{ name: anybody, ttlSeconds: null, rate: null }]) {
    const own = key.rate ?? rate;
    clients.set(key.name, {
      name: key.name,
      ttlSeconds: key.ttlSeconds ?? ttlSeconds,
      bucket: own === null || own === 'off' ? null : tokenBucket(own.burst, own.perSecond),
    });
  }
  return {
    settings,
    issue: issuerWith(secret),
    urisJson: JSON.stringify(uris.map(formatTurnUri)),
    ring: keys === null ? null : new KeyRing(keys),
    clients,
  };
}

/** Those of the query and of the body; the body wins. */
function parametersOf({ query, body }: FastifyRequest): Readonly<Record<string, unknown>> {
  const inQuery = query as Readonly<Record<string, unknown>>;
  return typeof body === 'object' && body !== null ? { ...inQuery, ...body } : inQuery;
}

function unauthorized(reply: FastifyReply): FastifyReply {
  return refuse(
    reply.header('www-authenticate', 'Bearer'),
    401,
    'an API key is needed: Authorization: Bearer KEY',
  );
}

function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.code(status).send({ error });
}
