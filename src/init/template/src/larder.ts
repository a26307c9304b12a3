import { createLarder, type LarderLogger } from 'larder';
import { entities } from './entities.ts';
import { environment } from './environment.ts';

/** Opens the stores that the environment names. What is wrong with them is logged. Whoever opens a Larder closes it. */
export function openLarder(logger: LarderLogger) {
  const { databaseUrl, redisUrl } = environment;
  return createLarder({
    entities,
    postgres: { url: databaseUrl },
    // Without Redis, each process caches in its own memory alone.
    redis: redisUrl === '' ? null : { url: redisUrl },
    logger,
  });
}
