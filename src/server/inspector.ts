import type { RequestState } from './request-state.ts';

/**
 * What an inspected request did to Postgres and Redis, for `extensions.dataFetching`.
 *
 * @param state the request's state after its execution
 * @returns counts, and times in milliseconds, rounded to microseconds: more digits are noise
 */
export function dataFetching({ scope: { trace }, cost }: RequestState) {
  const round = (ms: number) => Math.round(ms * 1000) / 1000;
  return {
    sql: { ...trace.sql, ms: round(trace.sql.ms) },
    redis: { ...trace.redis, ms: round(trace.redis.ms) },
    cache: trace.cache,
    cost,
  };
}
