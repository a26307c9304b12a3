import type { GraphQLResolveInfo } from 'graphql';
import { afterPromises, Batch } from '../batch.ts';
import type { Scope } from '../bodies/scope.ts';
import type { Entity } from '../entity/definition.ts';
import { InvalidInput } from '../entity/invalid-input.ts';
import { Page } from '../lists/page.ts';
import type { PageRequest, Position } from '../lists/page-request.ts';
import { errorOf } from '../reason-of.ts';
import type { LarderContext } from '../repository/context.ts';
import type { Repository } from '../repository/repository.ts';
import { decodeCursor } from './cursor.ts';
import type { EntityType } from './entity-type.ts';
import { needsOf } from './page-needs.ts';
import { Connection } from './shapes.ts';
import { userInputError } from './user-input-error.ts';

/** Entries on a page when the client does not say. */
export const DEFAULT_PAGE_SIZE = 20;

/** Entries on a page at most. */
export const MAX_PAGE_SIZE = 100;

/** The list that a connection pages through, with its parent, order and filters. */
export interface ConnectionSource<Lists extends string = string> {
  readonly list: Lists;
  /**
   * The parent's database id (a node's `databaseId`); absent when the list has no parent, and only then. With `null`, which names nothing,
   * the page is empty.
   */
  readonly parent?: string | null | undefined;
  readonly order: string;
  readonly direction?: 'ASC' | 'DESC';
  /** The values of the list's filters, by name. A filter that is `null` or `undefined` does not apply. */
  readonly filters?: Readonly<Record<string, unknown>> | undefined;
}

/** The four arguments of the Relay Cursor Connections specification, section 4. */
export interface PageArguments {
  readonly first?: number | null | undefined;
  readonly last?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly before?: string | null | undefined;
}

/**
 * Answers a field that pages through a list of entities. It takes one promise for each parent and none for each item, since the page has
 * its nodes. It is not async, since an async function leaves more garbage for each page.
 *
 * @param type the listed entity's type
 * @param source the list, with its parent, order and filters
 * @param args the page's arguments, as the client sent them
 * @param context the request's context
 * @param info the field's info
 * @returns what the fields of the connection's type read
 * @throws {GraphQLError} BAD_USER_INPUT for a size, a cursor or a filter's value that the list cannot have
 */
export function resolvePage(
  type: EntityType,
  source: ConnectionSource,
  args: PageArguments,
  context: LarderContext,
  info: GraphQLResolveInfo,
): Promise<Connection<Entity>> | Connection<Entity> {
  const { list, parent, order } = source;
  const repository = type.repositoryOf(context);
  const name = type.listName(list);
  const { first, last, after, before } = args;
  // Checked before any SQL. The arguments are written out, because spreading objects costs as much as everything else here.
  if (first != null && last != null) throw userInputError('last', 'Expected first or last, got both.');
  checkSize('first', first);
  checkSize('last', last);
  const request: PageRequest = {
    parent: parent ?? undefined,
    order,
    direction: source.direction ?? 'ASC',
    filters: source.filters,
    limit: pageSizeOf(args),
    backward: last != null,
    after: place(repository, source, name, 'after', after),
    before: place(repository, source, name, 'before', before),
    needs: needsOf(info, type.name, context),
  };
  const of = { typename: type.name, name, order };
  if (parent === null) return new Connection(Page.empty<Entity>(), of);
  let batch = context.collected.get(name) as Batch<PageRequest, Page<Entity> | Error> | undefined;
  if (batch === undefined) {
    batch = new Batch(afterPromises, (requests) => loadPages(repository, list, requests, context.scope));
    context.collected.set(name, batch);
  }
  return batch.loadAs(request, (page) =>
    page instanceof Error ? (Promise.reject(page) as never) : new Connection(page, of),
  );
}

/** Reads the position in a cursor of a list. */
function place(
  repository: Repository<Entity, string>,
  { list, order }: ConnectionSource,
  name: string,
  argument: string,
  cursor: string | null | undefined,
): Position | undefined {
  if (cursor == null) return undefined;
  const position = decodeCursor(cursor, name, order);
  if (position === null || !repository.isPosition(list, order, position)) {
    throw userInputError(argument, `Expected a cursor of this list in this order, as an edge or pageInfo gave it.`);
  }
  return position;
}

/**
 * The most entries of a page. Both the cost of a field and the reading use this function.
 *
 * @param args a connection's arguments
 * @returns the size; one that is out of range is refused when the field is resolved
 */
export function pageSizeOf({ first, last }: { readonly first?: unknown; readonly last?: unknown }): number {
  const size = first ?? last ?? DEFAULT_PAGE_SIZE;
  return typeof size === 'number' ? Math.max(size, 0) : DEFAULT_PAGE_SIZE;
}

function checkSize(argument: string, size: number | null | undefined): void {
  if (size == null || (size >= 0 && size <= MAX_PAGE_SIZE)) return;
  throw userInputError(argument, `Expected ${argument} to be from 0 to ${MAX_PAGE_SIZE}, got ${size}.`);
}

/**
 * Loads pages of one list at once. Only Postgres knows the form of the values of some types. When it refuses a client's value, each page is
 * loaded by itself, so that no page fails because of another.
 *
 * @param repository the listed entity's repository
 * @param list the list
 * @param requests the pages
 * @param scope the request's scope
 * @returns the pages, in order; an error for one whose cursor or filters no row can have, and for one that fails when it is loaded by itself
 * @throws any other error of the reading
 */
async function loadPages(
  repository: Repository<Entity, string>,
  list: string,
  requests: readonly PageRequest[],
  scope: Scope,
): Promise<readonly (Page<Entity> | Error)[]> {
  try {
    return await repository.list(list, requests, scope);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    const [only, ...others] = requests;
    if (only !== undefined && others.length === 0) return [userInputError(error.field, error.message)];
    const apart = requests.map((request) => loadPages(repository, list, [request], scope));
    const settled = await Promise.allSettled(apart);
    return settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : errorOf(one.reason)));
  }
}
