import { getTableColumns } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { bodyReader, bodyRecaller } from '../bodies/body-reader.ts';
import { createScope, type Scope } from '../bodies/scope.ts';
import { type ReadRows, sharedRows } from '../bodies/shared-rows.ts';
import { versionsFirst } from '../bodies/versions-first.ts';
import type { Body } from '../cache/entry.ts';
import type { Entity, EntityDefinition } from '../entity/definition.ts';
import { givenFilters } from '../entity/given-filters.ts';
import { InvalidInput } from '../entity/invalid-input.ts';
import { isTextual } from '../entity/key.ts';
import type { ListDefinition } from '../entity/list-definition.ts';
import { fullName, referredKeys } from '../entity/referred-tables.ts';
import type { Page } from '../lists/page.ts';
import type { PageQuery, PageRequest } from '../lists/page-request.ts';
import { isPosition } from '../lists/position.ts';
import type { AuditSource } from '../outbox/self-audit.ts';
import { isValueRefused } from '../postgres/errors.ts';
import { run } from '../postgres/statement.ts';
import { Trace } from '../trace/trace.ts';
import { entityWriter } from './entity-writer.ts';
import { type FindBy, findsBy } from './find-by.ts';
import { pageReader, rowLoader } from './places.ts';
import type { Recall, Repository } from './repository.ts';
import type { Storage } from './storage.ts';

/**
 * Makes the repository of an entity.
 *
 * @param definition the entity
 * @param storage where its rows and bodies are
 * @returns the repository
 */
export function createRepository<E extends Entity, Lists extends string>(
  definition: EntityDefinition<E, Lists>,
  storage: Storage,
): Repository<E, Lists> & FindBy<E, string> {
  const { database, cache, audit, catalog } = storage;
  const {
    name,
    key: { isId },
  } = definition;
  const followed = catalog?.follow(definition.space, definition);
  const space = followed?.space ?? definition.space;
  const isWatched = () => definition.unwatched !== true && (followed?.isWatched() ?? true);
  const isCurrent = () => catalog?.isCurrent() ?? true;

  const load = rowLoader(database, definition);
  const loadVersions: ReadRows<string> = async (ids, trace) => {
    const rows = await run(database, definition.versionsOf, definition.valuesOfIds(ids), trace);
    return new Map(rows.map(({ id, version }) => [id, version]));
  };
  const source = { load, loadShared: sharedRows(definition.byIds.name, load), isCurrent };
  const read = bodyReader(space, cache, source);
  const recallBody = bodyRecaller(space, cache, isCurrent);
  const readNamed = versionsFirst(sharedRows(definition.versionsOf.name, loadVersions), read);
  const readPages = pageReader(storage, { ...source, definition, space });

  // The body's entity was made from this definition's columns, or decoded under a shape that hashes them.
  const entityOf = (body: Body | null | undefined) => (body?.entity ?? null) as E | null;

  const kinds = new Map(
    Object.entries<ListDefinition>(definition.lists).map(([list, { parent, orders }]) => [
      list,
      { hasParent: parent !== null, orders: Object.keys(orders) },
    ]),
  );
  const listOf = (list: Lists) => {
    const kind = kinds.get(list);
    if (kind === undefined) throw new TypeError(`${name} has no list ${list}`);
    return kind;
  };

  /** The trace for work that no request asked for. */
  const unasked = () => new Trace(database);
  const auditSource: AuditSource = {
    row: async (id) => (await load([id], unasked())).get(id) ?? null,
    answer: async (id) => (await cache.read(space, [{ id, version: null }], load, unasked())).get(id) ?? null,
  };

  /** How many reads of a request caches have answered. */
  const cachedIn = ({ trace }: Scope) => {
    const counts = trace.cache[name];
    return counts === undefined ? 0 : counts.hits + counts.negative;
  };

  // An id that no row can have is in no memory, so that it need not be checked.
  const recall: Recall<E> = (id, scope) => {
    if (!isWatched()) return undefined;
    const before = cachedIn(scope);
    const body = recallBody(id, scope);
    if (body === undefined) return undefined;
    audit?.sample(name, [id], [body], cachedIn(scope) - before, auditSource);
    return entityOf(body);
  };

  const findByIds: Repository<E, Lists>['findByIds'] = (ids, scope = createScope(unasked())) => {
    const unique = (ids.length === 1 ? ids : [...new Set(ids)]).filter(isId);
    if (unique.length === 0) return Promise.resolve(ids.map(() => null));
    const before = cachedIn(scope);
    const isTold = isWatched();
    const wants = unique.map((id) => ({ id, version: null }));
    const answer = (bodies: readonly (Body | null)[]) => {
      // At most as many as were asked for: the counters include other reads of the request at the same time.
      if (isTold) audit?.sample(name, unique, bodies, Math.min(cachedIn(scope) - before, bodies.length), auditSource);
      if (unique.length === ids.length) return bodies.map(entityOf);
      const byId = new Map(unique.map((id, i) => [id, bodies[i]]));
      return ids.map((id) => entityOf(byId.get(id)));
    };
    const bodies = isTold ? read(wants, scope) : readNamed(wants, scope);
    return bodies instanceof Promise ? bodies.then(answer) : Promise.resolve(answer(bodies));
  };

  return {
    name,
    isId,
    findByIds: Object.assign(findByIds, { recall }),
    findByRefs: async (refs, scope = createScope(unasked())) => {
      const bodies = await read(refs, scope);
      return bodies.map(entityOf);
    },
    ...findsBy<E, string>(definition.lookups, database, read),
    ...entityWriter(definition, storage),
    findById: async (id, scope) => (await findByIds([id], scope))[0] ?? null,
    lists: Object.keys(definition.lists) as Lists[],
    listOf,
    keysOf: (list) => {
      const { from, parent } = definition.lists[list];
      const { table, key, unwatched = false } = definition;
      const namesOf = (columns: readonly PgColumn[]) => columns.map((column) => column.name);
      return {
        own: { table: fullName(table), columns: namesOf(key.columns) },
        referred: referredKeys(table, key.columns),
        isUnwatched: unwatched,
        texts: Object.entries(getTableColumns(table)).flatMap(([field, column]) => (isTextual(column) ? [field] : [])),
        parent: namesOf(parent?.columns ?? []),
        isTextParent: parent?.columns.length === 1 && parent.columns.every(isTextual),
        parents: parent === null ? [] : referredKeys(from, parent.columns),
      };
    },
    isPosition: (list, order, position) => {
      const { orders } = definition.lists[list];
      return isPosition(definition.key, Object.hasOwn(orders, order) ? orders[order] : undefined, position);
    },
    list: async (list, requests, scope = createScope(unasked())) => {
      listOf(list);
      const { filters } = definition.lists[list];
      for (const request of requests) checkLimit(name, list, request);
      const asked = requests.map((request) => withFilters(filters, request));
      const { pages, fill } = await readPages(list, asked, scope).catch((error: unknown) => {
        throw isValueRefused(error) ? refusedValue(asked, error) : error;
      });
      await fill(pages.filter((_page, i) => requests[i]?.needs.entities));
      // Its bodies are of this definition (see `entityOf`).
      return pages as Page<E>[];
    },
  };
}

/**
 * Turns Postgres' refusal of a value into invalid input. Only Postgres knows the form of the values of some types. Where no request has a
 * value of a client, a row is broken, and the error stays what it is.
 */
function refusedValue(asked: readonly PageQuery[], cause: unknown): unknown {
  if (asked.some(({ filters }) => filters !== undefined)) {
    const message = 'Expected values that the columns of the filters can have.';
    return new InvalidInput('filters', 'MALFORMED', message, { cause });
  }
  const side = (['after', 'before'] as const).find((place) => asked.some((request) => request[place] !== undefined));
  if (side === undefined) return cause;
  return new InvalidInput(side, 'MALFORMED', 'Expected a cursor of this list, as an edge or pageInfo gave it.', {
    cause,
  });
}

/** The most rows of a page. Larder asks for one more, and Postgres takes it for an integer. */
const MAX_LIMIT = 2 ** 31 - 2;

/** Whoever calls a repository is no client, so this is no invalid input. */
function checkLimit(name: string, list: string, { limit }: PageRequest): void {
  if (Number.isInteger(limit) && limit >= 0 && limit <= MAX_LIMIT) return;
  throw new RangeError(
    `Expected the limit of a page of ${name}.${list} to be an integer from 0 to ${MAX_LIMIT}, got ${limit}.`,
  );
}

/** The request as the list reads it, with its filters as SQL text. */
function withFilters(filters: ListDefinition['filters'], request: PageRequest): PageQuery {
  if (request.filters === undefined) return request as PageQuery;
  const given = givenFilters(filters, request.filters);
  return { ...request, filters: given.length === 0 ? undefined : given };
}
