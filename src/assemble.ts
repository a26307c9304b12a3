import type { FastifyInstance } from 'fastify';
import { EntityCache } from './cache/entity-cache.ts';
import { MemoryTier } from './cache/memory-tier.ts';
import { RedisTier } from './cache/redis-tier.ts';
import type { Config } from './config.ts';
import { openDatabase } from './db/client.ts';
import { createRepositories } from './domain/repositories.ts';
import { buildGraphQLSchema } from './graphql/schema.ts';
import { createApp } from './server/app.ts';
import { createMetricsApp } from './server/metrics.ts';

/** A server that is listening. */
export interface Larder {
  /** Where the public routes are, such as `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Where `/metrics` is. */
  readonly metricsUrl: string;
  /** Answers what was accepted, then closes everything that `assemble` opened. */
  close(): Promise<void>;
}

/**
 * Opens the stores, puts the layers together and listens.
 *
 * @param config the settings; a port of 0 picks a free one
 * @returns the running server
 * @throws when a port is taken or Postgres' address is wrong
 */
export async function assemble(config: Config): Promise<Larder> {
  const database = openDatabase(config.database);
  let app: FastifyInstance | undefined;
  const redis =
    config.redis === null
      ? null
      : new RedisTier(config.redis.url, (error) => app?.log.warn({ reason: error.message }, 'Redis failed'));
  const memory = redis === null ? new MemoryTier(config.cache.memoryMaxEntries, config.cache.memoryTtlMs) : null;
  const cache = new EntityCache({ memory, redis, prefix: config.cache.prefix, ttlMs: config.cache.ttlMs });
  app = await createApp({
    schema: buildGraphQLSchema(),
    repositories: createRepositories({ database, cache }),
    health: {
      postgres: () => database.ping(),
      redis: async () => (redis === null ? null : redis.ping()),
    },
    inspect: config.inspect,
    graphiql: config.graphiql,
    logger: { level: config.logLevel, ...(config.production ? {} : { transport: { target: 'pino-pretty' } }) },
  });
  if (redis === null) app.log.info('no REDIS_URL: bodies are cached in the memory of this process alone');
  else await redis.connected(1000);
  const metrics = createMetricsApp();
  const url = await app.listen(config.http);
  const metricsUrl = `${await metrics.listen(config.metrics)}/metrics`;
  return {
    url,
    metricsUrl,
    close: async () => {
      await app.close();
      await Promise.all([metrics.close(), redis?.close(), database.close()]);
    },
  };
}
