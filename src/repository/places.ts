import { bodyReader } from '../bodies/body-reader.ts';
import { pageBodies } from '../bodies/page-bodies.ts';
import type { Scope } from '../bodies/scope.ts';
import { sharedRows } from '../bodies/shared-rows.ts';
import type { EntitySpace } from '../cache/entry.ts';
import type { Loader } from '../cache/read-through.ts';
import { type Entity, type EntityDefinition, listSource } from '../entity/definition.ts';
import { listReader, type ReadPages } from '../lists/list.ts';
import type { Page } from '../lists/page.ts';
import type { PageQuery } from '../lists/page-request.ts';
import type { Database } from '../postgres/client.ts';
import type { Replica } from '../postgres/replica.ts';
import { runBodyRead } from '../postgres/statement.ts';
import type { Storage } from './storage.ts';

/** Reads the lists of an entity at one server of Postgres. */
type ListReaders<Lists extends string> = Readonly<Record<Lists, ReadPages>>;

/** What is read at a replica: lists, and the rows that they name. */
interface Place<Lists extends string> {
  readonly lists: ListReaders<Lists>;
  readonly rows: Loader;
}

/** Pages as a server named them, and a function that reads the bodies of some of them. */
export interface NamedPages {
  readonly pages: readonly Page[];
  fill(wanted: readonly Page[]): undefined | Promise<void>;
}

/** Reads pages of one list, at the primary or at a replica. */
export type ReadNamed<Lists extends string> = (
  list: Lists,
  asked: readonly PageQuery[],
  scope: Scope,
) => Promise<NamedPages>;

/** How the bodies of an entity are read. */
export interface PlaceOptions<Lists extends string> {
  readonly definition: EntityDefinition<Entity, Lists>;
  readonly space: EntitySpace;
  /** Reads rows at the primary. */
  readonly load: Loader;
  readonly loadShared: Loader;
  isCurrent(): boolean;
}

/**
 * Makes a function that reads rows of an entity.
 *
 * @param database where
 * @param definition the entity
 * @returns reads bodies by id
 */
export function rowLoader(database: Database, definition: EntityDefinition<Entity, string>): Loader {
  return async (ids, trace) => {
    const rows = await runBodyRead(database, definition.byIds, definition.valuesOfIds(ids), trace);
    return new Map(rows.map((row) => [row.id, definition.toBody(row)]));
  };
}

/**
 * Makes a function that reads the lists of an entity, at a replica that will do, or at the primary.
 *
 * @param storage where rows and bodies are
 * @param options how bodies are read
 * @returns reads pages; throws as `run` does
 */
export function pageReader<Lists extends string>(
  { database, cache, replicas }: Storage,
  options: PlaceOptions<Lists>,
): ReadNamed<Lists> {
  const { definition, space, isCurrent } = options;

  const listsAt = (at: Database): ListReaders<Lists> => {
    const readers = (Object.keys(definition.lists) as Lists[]).map((list) => [
      list,
      listReader(at, listSource(definition, list)),
    ]);
    return Object.fromEntries(readers) as ListReaders<Lists>;
  };
  const answered = (wanted: number) => cache.hasAnswered(space, wanted);
  const fillPages = pageBodies(space, cache, bodyReader(space, cache, options), isCurrent, answered);

  const atPrimary = listsAt(database);
  const readPrimary: ReadNamed<Lists> = (list, asked, scope) => {
    const askedAt = cache.clock.now();
    const { shape } = space;
    const fill: NamedPages['fill'] = (wanted) => fillPages(wanted, scope, askedAt, shape);
    // Who looks at a request wants to see what it did to Redis; what is brought along is put there after its answer.
    const brings = cache.lacks(space) && !scope.cold && !scope.trace.ownStatements && isCurrent();
    const requests = brings ? asked.map(bringingBodies) : asked;
    return atPrimary[list](requests, scope.trace).then((pages) => ({ pages, fill }));
  };
  if (replicas === undefined) return readPrimary;

  const places = new Map<Replica, Place<Lists>>();
  for (const replica of replicas.all) {
    const rows = sharedRows(definition.byIds.name, rowLoader(replica.database, definition));
    places.set(replica, { lists: listsAt(replica.database), rows });
  }

  return async (list, asked, scope) => {
    const chosen = replicas.choose(scope);
    const replica = chosen instanceof Promise ? await chosen : chosen;
    const place = replica === null ? undefined : places.get(replica);
    if (replica === null || place === undefined) return readPrimary(list, asked, scope);
    const askedAt = cache.clock.now();
    // The replica's pages are at least as new as this time.
    const { asOf, drops } = replica;
    const pages = await replicas.read(replica, () => place.lists[list](asked, scope.trace), scope.trace);
    if (pages === null) return readPrimary(list, asked, scope);
    // Rows of these pages are read at the primary when the replica does not answer, or may have gone back since.
    const load: Loader = async (ids, trace) => {
      const isSame = replica.drops === drops;
      const rows = isSame ? await replicas.read(replica, () => place.rows(ids, trace), trace) : null;
      return rows ?? options.loadShared(ids, trace);
    };
    return { pages, fill: (wanted) => fillPages(wanted, scope, askedAt, undefined, { asOf, load }) };
  };
}

/** The same request of a list that brings bodies along, if it is one for bodies. */
function bringingBodies(request: PageQuery): PageQuery {
  const { needs } = request;
  return needs.entities ? { ...request, needs: { ...needs, bodies: true } } : request;
}
