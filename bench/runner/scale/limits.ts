import type { Cost, Scale } from './measure-scale.ts';

/** How much of a core is planned with: at more, what waits for it waits too long. */
export const PLANNED = 0.7;
/** How much the largest machine has that one would give to Postgres, in cores. */
export const POSTGRES_CORES = 64;
/** What each process takes of Postgres' connections: reads, writes, the outbox and the catalog. */
export const CONNECTIONS = 10;
/** How many Postgres serves well without a pooler. */
export const POSTGRES_CONNECTIONS = 500;
/** For which loads the calculation is made. */
export const LOADS = [1_000, 10_000, 100_000, 1_000_000];
/** How many of a hundred requests write. */
export const WRITES = [0, 1, 5];
/** How many ms of CPU time a core has in a second, of which so many are planned with. */
const CORE = 1000 * PLANNED;

/** What a load takes. */
export interface Need {
  readonly load: number;
  /** Processes of Larder, with a core each; `Infinity` where hearing of writes takes all that each of them has. */
  readonly processes: number;
  /** Nodes of Redis, with a core each. */
  readonly nodes: number;
  /** Of Postgres, on the primary alone, and all but writes on replicas. */
  readonly postgres: number;
  readonly primary: number;
  readonly connections: number;
}

/** What one request costs where it is planned with. */
export interface Costs {
  readonly read: Cost;
  readonly write: Scale['writes'];
}

/**
 * @param costs what was measured
 * @param load requests in a second
 * @param writes how many of a hundred write
 * @returns what it takes: each process hears of each write
 */
export function needOf({ read, write }: Costs, load: number, writes: number): Need {
  const written = (load * writes) / 100;
  const reads = load - written;
  // A process of which hearing of writes takes `heard` has the rest for requests.
  const heard = written * write.listener;
  const asked = reads * read.server + written * write.server;
  const processes = heard >= CORE ? Number.POSITIVE_INFINITY : Math.ceil(asked / (CORE - heard));
  const primary = (written * write.postgres) / CORE;
  return {
    ...{ load, processes, primary },
    nodes: Math.ceil((reads * read.redis + written * write.redis) / CORE),
    postgres: primary + (reads * read.postgres) / CORE,
    connections: processes * CONNECTIONS,
  };
}

/** The load, in requests a second, at which something is used up. */
export interface Limit {
  readonly what: string;
  readonly load: number;
  readonly next: string;
}

/**
 * @param costs what was measured
 * @param writes how many of a hundred write
 * @returns what is used up, the first first
 */
export function limitsOf(costs: Costs, writes: number): Limit[] {
  const { read, write } = costs;
  const share = writes / 100;
  const mixed = (pick: (cost: Cost) => number) => (1 - share) * pick(read) + share * pick(write);
  const perServer = mixed(({ server }) => server);
  const limits: Limit[] = [
    { what: 'one process, on one core', load: CORE / perServer, next: 'more processes' },
    { what: 'one node of Redis', load: CORE / mixed(({ redis }) => redis), next: 'a Redis Cluster' },
    {
      what: `${POSTGRES_CONNECTIONS} connections of Postgres`,
      load: (POSTGRES_CONNECTIONS / CONNECTIONS) * (CORE / perServer),
      next: 'pgbouncer, by transaction',
    },
    {
      what: `a primary of ${POSTGRES_CORES} cores that reads and writes`,
      load: (POSTGRES_CORES * CORE) / mixed(({ postgres }) => postgres),
      next: 'replicas for reads',
    },
  ];
  if (writes > 0) {
    limits.push(
      {
        what: `a primary of ${POSTGRES_CORES} cores that only writes`,
        load: (POSTGRES_CORES * CORE) / (share * write.postgres),
        next: 'several databases, with a Larder each',
      },
      {
        what: 'each process, by what it hears of writes',
        load: CORE / (share * write.listener),
        next: 'several databases, with a Larder each',
      },
    );
  }
  return limits.toSorted((a, b) => a.load - b.load);
}
