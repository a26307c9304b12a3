import { cacheKey } from '../cache/cache-key.ts';
import { slotOf } from '../cache/cluster/slots.ts';
import { askHolder, holdersOf } from '../cache/cluster/sources.ts';
import { decodeEntry, type EntitySpace, LEASE_MARK } from '../cache/entry.ts';
import type { RedisSource } from '../cache/redis/source.ts';
import { CatalogWatch } from '../entity/catalog-watch.ts';
import type { Entity, EntityDefinition } from '../entity/definition.ts';
import { type Database, openDatabase } from '../postgres/client.ts';
import { runBodyRead } from '../postgres/statement.ts';
import { decodeGlobalId } from '../pothos/global-id.ts';
import { Trace } from '../trace/trace.ts';
import { UsageError } from './command.ts';
import type { Stores } from './forget.ts';

/** A row, and how entities of its kind are read. */
interface Row {
  /** The entity's shape, as a server with this code and this database has it. */
  readonly space: EntitySpace;
  /** Whether triggers note each change. */
  readonly isWatched: boolean;
  /** `null` when there is no row. */
  readonly version: string | null;
}

/** Entities by name, as far as their definitions are needed. */
export type Defined = Readonly<Record<string, { define(name: string): EntityDefinition<Entity, string> }>>;

/** An entry in Redis. */
interface Held {
  readonly text: string | null;
  readonly ttlMs: number;
  readonly epoch: string | null;
}

/**
 * Says what Redis has of an entity, whether reads use it, and why. It changes nothing.
 *
 * @param stores where to look
 * @param entities the entities by name
 * @param words a global id, or the name of an entity and an id
 * @param say receives the lines
 * @throws {UsageError} when the words name no entity, or there is no Redis
 * @throws {DatabaseUnavailable} when Postgres does not answer
 * @throws {RedisUnavailable} when Redis does not
 */
export async function sayCached(
  { postgres, statementTimeoutMs, redis, prefix }: Stores,
  entities: Defined,
  words: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  const { entity, id } = named(words, Object.keys(entities));
  if (redis === null) throw new UsageError('REDIS_URL is not set: there is no Redis to look into.');
  const definition = entities[entity]?.define(entity);
  if (definition === undefined) throw new UsageError(`There is no entity ${entity}.`);
  if (!definition.key.isId(id)) throw new UsageError(`No ${entity} can have such an id.`);
  const key = cacheKey(prefix, entity, id);
  const held = await heldBy(redis, key, prefix);
  const database = openDatabase({ url: postgres, statementTimeoutMs, poolSize: 1 });
  try {
    const row = await rowOf(database, definition, id);
    say(`key       ${key}`);
    say(`row       ${row.version === null ? 'none' : `version ${row.version}`}`);
    for (const line of verdict(held, id, row)) say(line);
  } finally {
    await database.close();
  }
}

function named([first, second, ...more]: readonly string[], names: readonly string[]): { entity: string; id: string } {
  const decoded = second === undefined ? decodeGlobalId(first ?? '') : { typename: first ?? '', id: second };
  if (more.length > 0 || decoded === null || !names.includes(decoded.typename)) {
    throw new UsageError(`Which entity? Expected a global id, or one of ${names.join(', ')} and an id.`);
  }
  return { entity: decoded.typename, id: decoded.id };
}

/** What Postgres says of a row and of its table. */
async function rowOf(database: Database, definition: EntityDefinition<Entity, string>, id: string): Promise<Row> {
  const onError = (error: Error) => void process.stderr.write(`${error.message}\n`);
  const catalog = new CatalogWatch({
    database,
    cache: { forgetAll: () => {} },
    boundMs: Number.POSITIVE_INFINITY,
    onError,
    onUnwatched: onError,
  });
  const { space, isWatched } = catalog.follow(definition.space, definition);
  catalog.start();
  await catalog.known(database.statementTimeoutMs);
  await catalog.stop();
  const [row] = await runBodyRead(database, definition.byIds, definition.valuesOfIds([id]), new Trace());
  return { space, isWatched: isWatched(), version: row === undefined ? null : definition.toBody(row).version };
}

async function heldBy(source: RedisSource, key: string, prefix: string): Promise<Held> {
  const holders = await holdersOf(source, prefix);
  const holder = holders.find(({ hasSlot }) => hasSlot(slotOf(key)));
  if (holder === undefined) throw new UsageError('No node of the Redis cluster has the slot of this entity.');
  return askHolder(holder, async (redis) => {
    const [text, ttlMs, epoch] = await Promise.all([
      redis.get(key),
      redis.pttl(key),
      redis.get(holder.names.heartbeat),
    ]);
    return { text, ttlMs, epoch };
  });
}

/** Describes the entry, and which reads use it. */
function verdict({ text, ttlMs, epoch }: Held, id: string, { space, isWatched, version }: Row): string[] {
  if (text === null) return ['cached    nothing: the next read asks Postgres, and fills'];
  const lasts = `for ${Math.round(ttlMs / 1000)} s more`;
  if (text.startsWith(LEASE_MARK)) return [`cached    a lease ${lasts}: a reader is about to fill it`];
  const entry = decodeEntry(text, id, space);
  if (entry === null) {
    return ['cached    a body that lacks columns of this version of the code, or of the table: nobody of it uses that'];
  }
  const vouched =
    epoch === null
      ? 'do not use it: nobody vouches for what is cached (see /readyz)'
      : entry.epoch === epoch
        ? 'use it'
        : 'do not use it: it was read in another run of Redis, or before the cache domain began anew';
  const byId = (named: string) =>
    isWatched ? vouched : `ask Postgres for the version first, since no trigger notes changes, and ${named}`;
  if (entry.body === null) {
    return [
      `cached    that there is none, ${lasts}`,
      `by id     reads ${byId('do not use it')}`,
      'by list   such a list names no id like this',
    ];
  }
  const named = entry.body.version === version ? 'use it' : 'do not use it: the row has another version';
  return [
    `cached    version ${entry.body.version}, ${lasts}`,
    `by id     reads ${byId(named)}`,
    `by list   reads ${named}`,
  ];
}
