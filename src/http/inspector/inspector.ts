import type { CacheCounts } from '../../trace/cache-counts.ts';
import type { RedisExchange, SqlExchange } from '../../trace/channels.ts';
import type { RequestState } from '../request-state.ts';
import type { RecordedStatements } from './recorded-statements.ts';

/**
 * Describes what an inspected request did to Postgres and Redis, for `extensions.dataFetching`.
 *
 * @param state the request's state after its execution
 * @param statements records the statements, so that they may be explained; `null` outside of development, where parameters, which are
 *   personal data, are left out, too
 * @returns counts, every exchange in order of time, and times in milliseconds since the request began
 */
export function dataFetching({ scope: { trace }, cost }: RequestState, statements: RecordedStatements | null) {
  const shown = (event: SqlExchange | RedisExchange) => {
    const { kind, name, ms, failed } = event;
    const times = { startMs: round(event.started - trace.started), ms: round(ms), ...(failed ? { failed } : {}) };
    if (event.kind === 'redis') {
      const { keys, commands, hits } = event;
      return { kind, name, ...times, keys: keys.length, keyNames: keys, commands, ...(hits === null ? {} : { hits }) };
    }
    const { rows, text, parameters } = event;
    if (text === '') return { kind, name, ...times, rows };
    statements?.remember(text, parameters.length);
    return { kind, name, ...times, rows, sql: text, ...(statements === null ? {} : { parameters }) };
  };
  return {
    sql: { ...trace.sql, ms: round(trace.sql.ms) },
    redis: { ...trace.redis, ms: round(trace.redis.ms) },
    cache: Object.fromEntries(Object.entries(trace.cache).map(([entity, counts]) => [entity, explained(counts)])),
    cost,
    totalMs: round(trace.clock.now() - trace.started),
    events: (trace.events ?? []).toSorted((a, b) => a.started - b.started).map(shown),
  };
}

/** The counts of one entity, with the reasons why reads bypassed the caches. */
function explained({ cold, unreachable, ...counts }: CacheCounts) {
  if (counts.bypassed === 0) return counts;
  const unvouched = counts.bypassed - cold - unreachable;
  return { ...counts, bypassedBecause: { cold, unreachable, unvouched } };
}

/** Rounds to microseconds; more digits are noise. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
