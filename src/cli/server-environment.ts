import { readConfig } from '../app/config.ts';
import type { LocalServices } from './services/local.ts';
import { findFreePort } from './services/port.ts';

/** What the help of a command says of the stores that it takes or starts. */
export const WHERE_IT_RUNS = `Takes Postgres from DATABASE_URL and Redis from REDIS_URL, else starts its own. The other variables of .env.example work,
too. Ctrl-C stops everything that was started.

Before it writes into the database in DATABASE_URL it asks; LARDER_DEMO_WRITE=true allows it without asking.

The data stays in .larder, or in the directory that LARDER_STATE_DIR names: one for each demo that is to run at a time.
`;

/** How a server on a developer's machine is started. */
export interface ServerEnvironment {
  readonly env: Record<string, string | undefined>;
  /** Deviations from what one would expect, in words. */
  readonly notes: readonly string[];
}

/**
 * Finds wrong variables before anything is started for them.
 *
 * @param given the environment of the process
 * @throws {ConfigError} when a variable makes no sense
 */
export function checkEnvironment(given: Record<string, string | undefined>): void {
  readConfig({ ...given, DATABASE_URL: given.DATABASE_URL || 'postgres://not-started-yet' });
}

/**
 * Fills in what the environment leaves open: the services, free ports, and settings that show the most.
 *
 * @param given the environment of the process; what it sets stays, except for ports that are taken
 * @param services where Postgres and Redis are
 * @returns the environment of the server
 * @throws {ConfigError} when a variable makes no sense
 */
export async function serverEnvironment(
  given: Record<string, string | undefined>,
  services: LocalServices,
): Promise<ServerEnvironment> {
  const env = {
    ...given,
    DATABASE_URL: services.databaseUrl,
    REDIS_URL: services.redisUrl ?? '',
    INSPECT: given.INSPECT || 'always',
    GRAPHIQL: given.GRAPHIQL || 'true',
    LOG_LEVEL: given.LOG_LEVEL || 'warn',
  };
  const { http, metrics } = readConfig(env);
  const port = await findFreePort(http.host, http.port);
  const metricsPort = await findFreePort(metrics.host, metrics.port, [port]);
  const notes: string[] = [];
  if (http.port !== 0 && port !== http.port) notes.push(`Port ${http.port} is taken: the server listens on ${port}.`);
  if (metrics.port !== 0 && metricsPort !== metrics.port) {
    notes.push(`Port ${metrics.port} is taken: the metrics are on ${metricsPort}.`);
  }
  return { env: { ...env, PORT: String(port), METRICS_PORT: String(metricsPort) }, notes };
}
