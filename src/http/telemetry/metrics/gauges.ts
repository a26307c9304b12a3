import { performance } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../../clock.ts';
import type { ReplicaFigures } from './replicas.ts';

/** The sources that are asked when the metrics are read. */
export interface Gauges {
  /** For each kind of work: how many statements have a place at Postgres, and how many wait for one. */
  readonly pool: () => Readonly<Record<string, { readonly inside: number; readonly waiting: number }>>;
  /** Whether Redis is not tried at the moment, for a cluster by node; `null` when none is configured. */
  readonly breakerOpen: () => boolean | ReadonlyMap<string, boolean> | null;
  /** The processes that mutations no longer wait for, because they do not acknowledge. Each is named by its host and its process id. */
  readonly silent: () => readonly string[];
  /** What is known of the replicas of Postgres; `null`, or left out, when none is configured. */
  readonly replicas?: () => ReplicaFigures | null;
  /** How much is in memory, by kind. */
  readonly memoryUse: () => Readonly<Record<string, { readonly entries: number; readonly bytes: number }>>;
  /** Whether Redis is not used, because it belongs to another database; `null` when none is configured. */
  readonly refused: () => boolean | null;
  /** Whether there is an outbox to drain. Where nothing needs one, nothing is ever stale. */
  readonly drains: boolean;
  /** What waited in the outbox at the last look; `null` before the first. */
  readonly outbox: () => Outbox | null;
  /** How old an answer to a read by id may be, in milliseconds. */
  readonly maxStalenessMs: number;
  /** What the memory of this process may add to the age of an answer, in milliseconds. */
  readonly memoryTtlMs: number;
  readonly clock: Clock;
}

/** What waited in the outbox at some time. */
export interface Outbox {
  readonly depth: number;
  /** How long the oldest change had waited, in milliseconds. */
  readonly ageMs: number;
  /** When that was so, in milliseconds on the monotonic clock. */
  readonly lookedAt: number;
}

/**
 * Registers what can be asked at any time. Unknown values are left out.
 *
 * @param registry where the metrics go
 * @param sources what to ask
 */
export function registerGauges(registry: Registry, sources: Gauges): void {
  const gauge = (name: string, help: string, value: () => number | null) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const now = value();
        if (now === null) this.remove();
        else this.set(now);
      },
    });
  const pool = (name: string, help: string, field: 'inside' | 'waiting') =>
    new Gauge({
      name,
      help,
      labelNames: ['work'],
      registers: [registry],
      collect() {
        for (const [work, place] of Object.entries(sources.pool())) this.set({ work }, place[field]);
      },
    });
  pool('larder_pool_in_use', 'Places at Postgres that are taken, by the kind of work.', 'inside');
  pool(
    'larder_pool_waiting',
    'Statements and transactions that wait for a place at Postgres, by the kind of work.',
    'waiting',
  );
  new Gauge({
    name: 'larder_redis_breaker_open',
    help: 'Whether Redis failed so often that it is not tried at the moment, by node of a cluster.',
    labelNames: ['node'],
    registers: [registry],
    collect() {
      this.reset();
      const open = sources.breakerOpen();
      if (typeof open === 'boolean') this.set(Number(open));
      else for (const [node, isOpen] of open ?? []) this.set({ node }, Number(isOpen));
    },
  });
  new Gauge({
    name: 'larder_silent_processes',
    help: 'Other processes that do not acknowledge invalidations, by host and process id: mutations of this one wait for them no more.',
    labelNames: ['process'],
    registers: [registry],
    collect() {
      this.reset();
      for (const process of sources.silent()) this.set({ process }, 1);
    },
  });
  let busySince = performance.eventLoopUtilization();
  gauge(
    'larder_event_loop_utilization',
    'Which share of the time since it was last asked this process was busy.',
    () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, busySince);
      busySince = now;
      return utilization;
    },
  );
  const memory = (name: string, help: string, field: 'entries' | 'bytes') =>
    new Gauge({
      name,
      help,
      labelNames: ['kind'],
      registers: [registry],
      collect() {
        for (const [kind, use] of Object.entries(sources.memoryUse())) this.set({ kind }, use[field]);
      },
    });
  memory(
    'larder_memory_entries',
    'Entities in the memory of the process: bodies, negatives (known not to exist), and those of the pages that are kept whole.',
    'entries',
  );
  memory('larder_memory_bytes', 'What they take there, about. MEMORY_MAX_BYTES bounds the sum.', 'bytes');
  gauge(
    'larder_cache_refused',
    'Whether nothing that Redis holds is used, since it belongs to another database.',
    () => {
      const refused = sources.refused();
      return refused === null ? null : Number(refused);
    },
  );
  // Counted from the start: an outbox that could never be read would otherwise be missing from the metrics, and from the alerts.
  const unknown: Outbox = { depth: Number.NaN, ageMs: 0, lookedAt: sources.clock.now() };
  const ofOutbox = (name: string, help: string, value: (outbox: Outbox) => number) =>
    gauge(name, help, () => (sources.drains ? value(sources.outbox() ?? unknown) : null));
  ofOutbox(
    'larder_outbox_changes',
    'Changed rows whose bodies may still be cached: what waits in the outbox.',
    ({ depth }) => depth,
  );
  ofOutbox(
    'larder_outbox_age_seconds',
    'How long the oldest change in the outbox has waited.',
    (outbox) => age(outbox, sources.clock) / 1000,
  );
  ofOutbox(
    'larder_outbox_unread_seconds',
    'How long ago the outbox was last looked into, or the process began to try.',
    ({ lookedAt }) => (sources.clock.now() - lookedAt) / 1000,
  );
  ofOutbox(
    'larder_staleness_seconds',
    'How old an answer from a cache to a read by id could be now. Beyond the bound such reads go to Postgres.',
    (outbox) => (behind(outbox, sources.clock) + sources.memoryTtlMs) / 1000,
  );
  gauge('larder_staleness_bound_seconds', 'How old an answer to a read by id may be: MAX_STALENESS_MS.', () => {
    return sources.maxStalenessMs / 1000;
  });
}

/** How long the oldest change has waited by now, if nothing has read it, in milliseconds. */
function age(outbox: Outbox, clock: Clock): number {
  return outbox.depth === 0 ? 0 : behind(outbox, clock);
}

/** For how long caches may lack an invalidation, in milliseconds. It grows while nobody looks. */
function behind({ ageMs, lookedAt }: Outbox, clock: Clock): number {
  return ageMs + clock.now() - lookedAt;
}
