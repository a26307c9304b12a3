import type { CacheOptions, LarderOptions, PostgresOptions, RedisOptions } from './larder-options.ts';
import type { Entities } from './repository/entity.ts';
import { WrongValue } from './wrong-value.ts';

/** The options that there are. The compiler sees to it that none is missing. */
type Names<Options> = Readonly<Record<keyof Options, true>>;

const LARDER: Names<LarderOptions<Entities>> = {
  ...{ entities: true, postgres: true, redis: true, cache: true, logger: true, clock: true },
};
const POSTGRES: Names<PostgresOptions> = {
  ...{ url: true, client: true, poolSize: true, statementTimeoutMs: true, requestTimeoutMs: true },
  ...{ replicas: true, maxReplicaLagMs: true },
};
const REDIS: Names<RedisOptions> = { url: true, client: true, connect: true, timeoutMs: true };
const CACHE: Names<CacheOptions> = {
  ...{ prefix: true, ttlMs: true, maxStalenessMs: true, memoryTtlMs: true },
  ...{ memoryMaxEntries: true, memoryMaxBytes: true, selfAuditRate: true },
};

/**
 * Checks that no option is misspelt, since one that nobody knows would be ignored. In JavaScript, no compiler says so.
 *
 * @param options the options of a Larder, as they were given
 * @throws {WrongValue} naming an option that there is not, or one that is no object
 */
export function checkNames(options: LarderOptions<Entities>): void {
  expectNames('the options of createLarder', options, LARDER);
  expectObject('entities', options.entities);
  expectNames('postgres', options.postgres, POSTGRES);
  if ((options.redis ?? null) !== null) expectNames('redis', options.redis, REDIS);
  if (options.cache !== undefined) expectNames('cache', options.cache, CACHE);
}

function expectNames(where: string, options: unknown, names: Readonly<Record<string, true>>): void {
  expectObject(where, options);
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    throw new WrongValue(`${where}: expected some of ${Object.keys(names).join(', ')}, got ${name}.`);
  }
}

function expectObject(where: string, value: unknown): asserts value is object {
  if (typeof value === 'object' && value !== null) return;
  throw new WrongValue(`${where}: expected an object, got ${value === null ? 'null' : typeof value}.`);
}
