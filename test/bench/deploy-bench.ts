import { acmeUrl } from '../lab/server/acme-server.ts';
import { operatorOf, serviceOn } from '../lab/server/operator.ts';
import { openServerLab, type ServerLab } from '../lab/server/server-lab.ts';
import type { Server } from '../lab/server/server.ts';
import type { Bench, BenchRow } from './row.ts';

interface Deployed {
  readonly firstS: number;
  readonly againS: number;
}

const settings = { tls: { certbot: { server: acmeUrl, email: 'ops@lab.test' } } };

/** Seconds from the command to its report, by ssh, with the certificate and the verification: fresh, and with nothing to change. */
async function deployed(lab: ServerLab, names: readonly string[]): Promise<Deployed> {
  const servers: Server[] = await Promise.all(names.map(async (name) => lab.addServer(name)));
  const operator = await operatorOf(lab, serviceOn(servers, settings));
  const seconds: number[] = [];
  for (const outcome of ['changed', 'unchanged']) {
    const startedAt = performance.now();
    const { report, stderr } = await operator.deploy();
    seconds.push((performance.now() - startedAt) / 1000);
    const outcomes = report.hosts.map((host) => host.outcome);
    if (outcomes.some((each) => each !== outcome)) throw new Error(`${outcomes.join()}: ${stderr}`);
  }
  const [firstS = NaN, againS = NaN] = seconds;
  return { firstS, againS };
}

async function measure(): Promise<{ one: Deployed; three: Deployed }> {
  const lab = await openServerLab();
  try {
    const one = await deployed(lab, ['one']);
    return { one, three: await deployed(lab, ['two', 'three', 'four']) };
  } finally {
    await lab.close();
  }
}

// All rows tell of the same deployments.
let measured: ReturnType<typeof measure> | undefined;

/** `deploy` to booted servers of the lab, whose packages are on their disks. Needs root. */
export function deployBench(figure: 'first' | 'again' | 'fleet'): Bench {
  return async (): Promise<BenchRow> => {
    const { one, three } = await (measured ??= measure());
    switch (figure) {
      case 'first':
        return row('deploy of a fresh server, TLS and verification', one.firstS, null, { atMost: 30 });
      case 'again':
        return row('deploy again, with nothing to change', one.againS, null, { atMost: 8 });
      case 'fleet':
        return row('deploy of three fresh servers', three.firstS, one.firstS, { atMost: 1.8 });
      default:
        return figure satisfies never;
    }
  };
}

function row(what: string, ours: number, one: number | null, limit: BenchRow['limit']): BenchRow {
  const against = one === null ? null : { name: 'one server', figure: one };
  return { what, ours, unit: 's', against, limit };
}
