import { z } from 'zod';
import { withoutOddSecrets } from './redaction.ts';

const file = z.object({
  owner: z.string(),
  group: z.string(),
  /** Octal, such as 0640. */
  mode: z.string(),
  /** Without its secrets; see redaction.ts. */
  text: z.string(),
});

const schema = z.object({
  system: z.object({
    id: z.string(),
    like: z.array(z.string()),
    version: z.string(),
    name: z.string(),
  }),
  hostname: z.string(),
  /** Versions of the package: the one that is there, and the one that would be installed, where that is known. */
  coturn: z.object({ installed: z.string().nullable(), candidate: z.string().nullable() }),
  /** Who wrote /etc/turnserver.conf: `rtc-ops`, `package`, `hand`, or the name of a tool; null when there is none. */
  manager: z.string().nullable(),
  addresses: z.array(z.string()),
  /** What STUN servers say, asked from the host; null where one did not answer. */
  sightings: z.array(
    z.object({
      family: z.union([z.literal(4), z.literal(6)]),
      server: z.string(),
      local: z.string().nullable(),
      mapped: z.string().nullable(),
    }),
  ),
  clock: z.object({ unixMs: z.number(), synchronized: z.boolean().nullable() }),
  freeBytes: z.number(),
  service: z.object({
    load: z.string().nullable(),
    active: z.string().nullable(),
    enabled: z.string().nullable(),
    pid: z.number().nullable(),
    restarts: z.number(),
  }),
  listeners: z.array(
    z.object({
      protocol: z.enum(['tcp', 'udp']),
      address: z.string(),
      port: z.number(),
      process: z.string().nullable(),
      pid: z.number().nullable(),
    }),
  ),
  firewall: z.object({
    /** The one in use. */
    backend: z.enum(['none', 'ufw', 'firewalld', 'nftables']),
    /** Whether what an earlier deployment has opened is open; null where there was none. */
    applied: z.boolean().nullable(),
  }),
  /** Settings of the kernel by their names, and whether root may change them there; those that a host does not see lack. */
  kernel: z.record(z.string(), z.object({ value: z.number(), writable: z.boolean() })),
  /** Whether the program is there. */
  logrotate: z.boolean(),
  /**
   * Of a coturn that takes its secrets from its database: whether those of its configuration are there, null where that
   * cannot be said, and whether the rest of that is another one than it was started with. Null where it reads them itself.
   */
  secrets: z.object({ applied: z.boolean().nullable(), restart: z.boolean() }).nullable(),
  certificates: z.array(
    z.object({
      lineage: z.string(),
      serial: z.string().nullable(),
      notAfter: z.string().nullable(),
      names: z.array(z.string()),
    }),
  ),
  files: z.record(z.string(), file.nullable()),
  /** Who deploys to it at this moment, or was cut off while doing so; see run-owner.ts. */
  deployment: z.string().nullable(),
  /** What earlier deployments keep there; null before the first. */
  state: z
    .object({
      current: z.number(),
      /** Each with the version of coturn that its configuration was made for; null for one that is not ours. */
      generations: z.array(z.object({ number: z.number(), at: z.string(), coturn: z.string().nullable() })),
      /** Since when a secret that is to go has been superseded, and for how long it is kept. */
      rotation: z.object({ at: z.string(), ttlSeconds: z.number() }).nullable(),
    })
    .nullable(),
});

/** What a host says of itself before anything is changed (ansible/roles/coturn/files/facts.py). */
export type HostFacts = z.output<typeof schema>;

export type FileFacts = z.output<typeof file>;

/** Reads them; what else looks like a secret in the configuration goes no further than this. */
export function parseHostFacts(text: string): HostFacts {
  const facts = schema.parse(JSON.parse(text));
  const config = facts.files[configPath];
  if (config === undefined || config === null) return facts;
  return {
    ...facts,
    files: { ...facts.files, [configPath]: { ...config, text: withoutOddSecrets(config.text) } },
  };
}

export const configPath = '/etc/turnserver.conf';
