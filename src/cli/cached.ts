import { Redis } from 'ioredis';
import { readConfig } from '../app/config.ts';
import { entities } from '../app/entities.ts';
import { decodeEntry, type EntitySpace, LEASE_MARK } from '../cache/entry.ts';
import { cacheKey } from '../cache/read-through.ts';
import { parseRedisUrl } from '../cache/redis/url.ts';
import { CatalogWatch } from '../entity/catalog-watch.ts';
import { type Database, openDatabase } from '../postgres/client.ts';
import { DatabaseUnavailable } from '../postgres/errors.ts';
import { runBodyRead } from '../postgres/run.ts';
import { decodeGlobalId } from '../pothos/global-id.ts';
import { Trace } from '../trace/trace.ts';
import { runCommand, UsageError } from './command.ts';

const help = `Shows what Redis has of an entity, and whether reads use it and why.

  npm run cached -- ENTITY ID      such as Campaign 7
  npm run cached -- GLOBAL_ID      as GraphQL answers it
  node dist/cli/cached.js ENTITY ID

Looks at the Redis at REDIS_URL with CACHE_PREFIX and at the row at DATABASE_URL, and changes nothing. What the memory of a
process holds is not seen from outside; it is used in the same cases, by id for MEMORY_TTL_MS at most without news.
`;

/** What Redis holds. */
interface Held {
  readonly text: string | null;
  readonly ttlMs: number;
  readonly epoch: string | null;
}

await runCommand({
  help,
  options: {},
  errors: [DatabaseUnavailable],
  async run(_values, positionals) {
    const { entity, id } = named(positionals);
    const { cache, database: options } = readConfig(process.env);
    if (cache.redisUrl === null) throw new UsageError('REDIS_URL is not set: there is no Redis to look into.');
    const key = cacheKey(cache.prefix, entity, id);
    const database = openDatabase({ ...options, poolSize: 1 });
    try {
      const [{ space, version }, held] = await Promise.all([
        rowOf(database, entity, id),
        heldBy(cache.redisUrl, key, cache.prefix),
      ]);
      process.stdout.write(`key       ${key}\nrow       ${version === null ? 'none' : `version ${version}`}\n`);
      for (const line of verdict(held, id, space, version)) process.stdout.write(`${line}\n`);
    } finally {
      await database.close();
    }
  },
});

function named([first, second, ...more]: readonly string[]): { entity: keyof typeof entities; id: string } {
  const decoded = second === undefined ? decodeGlobalId(first ?? '') : { typename: first ?? '', id: second };
  const names = Object.keys(entities);
  if (more.length > 0 || decoded === null || !names.includes(decoded.typename)) {
    throw new UsageError(`Which entity? Expected a global id, or one of ${names.join(', ')} and an id.`);
  }
  const entity = decoded.typename as keyof typeof entities;
  if (!entities[entity].define(entity).key.isId(decoded.id)) throw new UsageError(`No ${entity} can have such an id.`);
  return { entity, id: decoded.id };
}

/** The entity's shape as a server with this code and this database has it, and the version of its row. */
async function rowOf(database: Database, entity: keyof typeof entities, id: string) {
  const definition = entities[entity].define(entity);
  const onError = (error: Error) => void process.stderr.write(`${error.message}\n`);
  const catalog = new CatalogWatch({
    database,
    cache: { forgetAll: () => {} },
    boundMs: Number.POSITIVE_INFINITY,
    onError,
    onUnheard: onError,
  });
  const { space } = catalog.follow(definition.space, definition);
  catalog.start();
  await catalog.known(database.statementTimeoutMs);
  await catalog.stop();
  const [row] = await runBodyRead(database, definition.byIds, definition.valuesOfIds([id]), new Trace());
  return { space, version: row === undefined ? null : definition.toBody(row).version };
}

async function heldBy(url: string, key: string, prefix: string): Promise<Held> {
  const redis = new Redis({ ...parseRedisUrl(url), maxRetriesPerRequest: 1, connectTimeout: 5000, lazyConnect: true });
  // The commands throw what goes wrong.
  redis.on('error', () => {});
  try {
    await redis.connect();
    const [text, ttlMs, epoch] = await Promise.all([
      redis.get(key),
      redis.pttl(key),
      redis.get(`${prefix}larder:heartbeat`),
    ]);
    return { text, ttlMs, epoch };
  } finally {
    redis.disconnect();
  }
}

/** Describes the entry, and which reads use it. */
function verdict({ text, ttlMs, epoch }: Held, id: string, space: EntitySpace, version: string | null): string[] {
  if (text === null) return ['cached    nothing: the next read asks Postgres, and fills'];
  const lasts = `for ${Math.round(ttlMs / 1000)} s more`;
  if (text.startsWith(LEASE_MARK)) return [`cached    a lease ${lasts}: a reader is about to fill it`];
  const entry = decodeEntry(text, id, space);
  if (entry === null) {
    return ['cached    a body that lacks columns of this version of the code, or of the table: nobody of it uses that'];
  }
  const byId =
    epoch === null
      ? 'do not use it: nobody vouches for what is cached (see /readyz)'
      : entry.epoch === epoch
        ? 'use it'
        : 'do not use it: it was read in another run of Redis, or before the cache domain began anew';
  if (entry.body === null) {
    return [
      `cached    that there is none, ${lasts}`,
      `by id     reads ${byId}`,
      'by list   such a list names no id like this',
    ];
  }
  const fits = entry.body.version === version;
  return [
    `cached    version ${entry.body.version}, ${lasts}`,
    `by id     reads ${byId}`,
    `by list   reads ${fits ? 'use it' : 'do not use it: the row has another version'}`,
  ];
}
