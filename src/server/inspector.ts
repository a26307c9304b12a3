import plugin from 'fastify-plugin';
import { costOf } from '../graphql/cost.ts';
import type { RequestState } from './request-state.ts';

/** Shows on each inspected response what the request did to Postgres and Redis. */
export const inspectorPlugin = plugin(
  async (app) => {
    app.graphql.addHook('preExecution', async (schema, document, context, variables) => {
      if (context.inspected) context.cost = costOf(schema, document, context.operationName, variables ?? {});
    });
    app.graphql.addHook('onResolution', async (execution, context) => {
      if (context.inspected) execution.extensions = { ...execution.extensions, dataFetching: dataFetching(context) };
    });
  },
  { name: 'larder-inspector', fastify: '5.x', dependencies: ['larder-graphql'] },
);

/** Times are rounded to microseconds: more digits are noise. */
function dataFetching({ scope: { trace }, cost }: RequestState) {
  const round = (ms: number) => Math.round(ms * 1000) / 1000;
  return {
    sql: { ...trace.sql, ms: round(trace.sql.ms) },
    redis: { ...trace.redis, ms: round(trace.redis.ms) },
    cache: trace.cache,
    cost,
  };
}
