import { join, relative } from 'node:path';
import type postgres from 'postgres';
import { migrateDatabase } from '../../app/migrate.ts';
import { seedDatabase } from '../seed.ts';
import { ask } from './ask.ts';
import { claimDirectory } from './claim.ts';
import { expectMayWrite } from './may-write.ts';
import { type PostgresService, startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import { findOrInstallRedis } from './redis-binary.ts';
import { stateDirectory } from './state-directory.ts';

/** The running services that a server on a developer's machine needs. */
export interface LocalServices {
  readonly databaseUrl: string;
  /** `null` when there is no Redis. */
  readonly redisUrl: string | null;
  /** Whether this process started that Redis. Then it is empty, and nobody else uses it. */
  readonly ownRedis: boolean;
}

/** What has to happen before the process ends; the last comes first. */
export type Teardown = (() => Promise<void> | void)[];

const DATABASE = 'larder';
const POSTGRES_PORT = 5432;
const REDIS_PORT = 6379;
const SAMPLE = { campaigns: 500, events: 5000, seed: 1 };

/**
 * Starts Postgres and Redis, each unless the environment names one, migrates the database and fills it with sample data when
 * it is empty.
 *
 * @param env the environment: DATABASE_URL and REDIS_URL
 * @param say receives lines for the reader
 * @param teardown gets what stops each thing that was started, as soon as it runs
 * @param proceed called between the steps; it throws when the process has been told to stop
 * @returns where they are
 * @throws when a service does not start; what was started is in `teardown`
 */
export async function startLocalServices(
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
  teardown: Teardown,
  proceed: () => void,
): Promise<LocalServices> {
  const directory = stateDirectory();
  teardown.push(claimDirectory(directory));
  const databaseUrl = env.DATABASE_URL || (await startOwnPostgres(directory, say, teardown));
  if (env.DATABASE_URL) {
    say('Postgres  from DATABASE_URL');
    await expectMayWrite(databaseUrl, env);
  }
  proceed();
  const ownRedisUrl = env.REDIS_URL ? null : await startOwnRedis(directory, say, teardown);
  if (env.REDIS_URL) say('Redis     from REDIS_URL');
  proceed();
  await migrateDatabase(databaseUrl, (line) => say(`Schema    ${line}`));
  proceed();
  if (await isEmpty(databaseUrl)) await seedDatabase({ url: databaseUrl, ...SAMPLE });
  else
    say(
      `Data      ${env.DATABASE_URL ? 'the database has rows: no sample data is added' : 'kept from an earlier run'}`,
    );
  proceed();
  return { databaseUrl, redisUrl: env.REDIS_URL || ownRedisUrl, ownRedis: ownRedisUrl !== null };
}

async function startOwnPostgres(directory: string, say: (line: string) => void, teardown: Teardown): Promise<string> {
  const service = await startPostgres({
    dataDir: join(directory, 'postgres'),
    port: POSTGRES_PORT,
    persistent: true,
  });
  teardown.push(() => service.stop());
  say(`Postgres  ${place(service.port, POSTGRES_PORT)}, data in ${shorten(directory)}`);
  if (!(await hasDatabase(service))) await service.createDatabase(DATABASE);
  return service.url(DATABASE);
}

async function startOwnRedis(
  directory: string,
  say: (line: string) => void,
  teardown: Teardown,
): Promise<string | null> {
  const binary = await findOrInstallRedis();
  if (binary === null) {
    say('Redis     none: the cache is the memory of the server alone');
    return null;
  }
  const service = await startRedis({ dir: join(directory, 'redis'), port: REDIS_PORT, binary });
  teardown.push(() => service.stop());
  say(`Redis     ${place(service.port, REDIS_PORT)}`);
  return service.url;
}

async function hasDatabase(service: PostgresService): Promise<boolean> {
  return ask(service.adminUrl, (sql) => sql`select 1 from pg_database where datname = ${DATABASE}`);
}

async function isEmpty(url: string): Promise<boolean> {
  const some = (sql: postgres.Sql) => sql`
    (select 1 from brands limit 1) union all (select 1 from campaigns limit 1) union all (select 1 from events limit 1)`;
  return !(await ask(url, some));
}

/**
 * Says where something listens, and why it is not at the usual port.
 *
 * @param port its port
 * @param preferred the usual port
 * @returns words such as `127.0.0.1:5433 (5432 is taken)`
 */
export function place(port: number, preferred: number): string {
  return `127.0.0.1:${port}${port === preferred ? '' : ` (${preferred} is taken)`}`;
}

function shorten(directory: string): string {
  const path = relative(process.cwd(), directory);
  return path.startsWith('..') ? directory : path;
}
