import type { InputFieldMap, InputShapeFromFields } from '@pothos/core';
import type { GraphQLResolveInfo } from 'graphql';
import type { Repository } from '../repository/cached-repository.ts';
import type { Entity } from '../repository/entity-definition.ts';
import type { Page, PageRequest, Position } from '../repository/page.ts';
import type { SchemaTypes } from './builder.ts';
import { Connection } from './connection-shape.ts';
import type { GraphQLContext } from './context.ts';
import { decodeCursor } from './cursor.ts';
import type { EntityType } from './entity-type.ts';
import { loadPage } from './page-loader.ts';
import { needsOf } from './page-needs.ts';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, pageSizeOf } from './page-size.ts';
import { FROM_ID } from './selection.ts';
import { userInputError } from './user-input-error.ts';

/** Which list a connection pages through, and what of it. */
export interface ConnectionSource<Lists extends string> {
  readonly list: Lists;
  /**
   * The parent's database id (a node's `databaseId`); `null` when it names nothing, and then the list is empty; absent when the list
   * has no parent.
   */
  readonly parent?: string | null | undefined;
  readonly order: string;
  readonly direction?: 'ASC' | 'DESC';
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** The four arguments of the Relay Cursor Connections specification, section 4. */
interface PageArguments {
  readonly first?: number | null | undefined;
  readonly last?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly before?: string | null | undefined;
}

/**
 * A field that pages through a list of entities. Its resolver makes one promise for each parent and none for each item:
 * the page that it answers has its nodes already.
 *
 * @param t the field builder of the parent's type
 * @param type the listed entity's type
 * @param options the field's description, its arguments besides the four of every connection, and which list they name
 * @returns the field
 */
export function connectionField<Parent, E extends Entity, Lists extends string, Args extends InputFieldMap>(
  t: PothosSchemaTypes.RootFieldBuilder<SchemaTypes, Parent>,
  type: EntityType<E, Lists>,
  options: {
    description: string;
    args?: Args;
    source: (parent: Parent, args: InputShapeFromFields<Args>) => ConnectionSource<Lists>;
  },
) {
  return t.field({
    type: type.connection,
    nullable: true,
    description: options.description,
    args: {
      first: t.arg.int({
        description: `How many from the start: 0 to ${MAX_PAGE_SIZE}, ${DEFAULT_PAGE_SIZE} if neither is given.`,
      }),
      after: t.arg.string({ description: 'Only what comes after this cursor.' }),
      last: t.arg.int({ description: `How many from the end: 0 to ${MAX_PAGE_SIZE}.` }),
      before: t.arg.string({ description: 'Only what comes before this cursor.' }),
      ...(options.args as InputFieldMap),
    },
    extensions: FROM_ID,
    complexity: (args: PageArguments) => ({ field: 1, multiplier: pageSizeOf(args) }),
    // Arguments that come by a type parameter are beyond inference here, and so is a connection's shape over them.
    resolve: (parent: unknown, args: PageArguments, context: GraphQLContext, info: GraphQLResolveInfo) => {
      const source = options.source(parent as Parent, args as InputShapeFromFields<Args>);
      return resolvePage(type, source, args, context, info) as never;
    },
  });
}

/** Not async: for each page, such a function left a fifth more behind. */
function resolvePage<E extends Entity, Lists extends string>(
  type: EntityType<E, Lists>,
  source: ConnectionSource<Lists>,
  args: PageArguments,
  context: GraphQLContext,
  info: GraphQLResolveInfo,
): Promise<Connection<E>> | Connection<E> {
  const { list, parent, order } = source;
  const repository = type.repositoryOf(context);
  const name = type.listName(list);
  const { first, last, after, before } = args;
  // Checked before any SQL. Written out, because an object that is spread together costs as much as the whole rest here.
  if (first != null && last != null) throw userInputError('last', 'Expected first or last, got both.');
  const request: PageRequest = {
    parent: parent ?? undefined,
    order,
    direction: source.direction ?? 'ASC',
    from: source.from,
    to: source.to,
    limit: pageSize('first', first) ?? pageSize('last', last) ?? DEFAULT_PAGE_SIZE,
    backward: last != null,
    after: place(repository, source, name, 'after', after),
    before: place(repository, source, name, 'before', before),
    needs: needsOf(info, type.name, context),
  };
  const of = { typename: type.name, name, order };
  if (parent === null) return new Connection({ items: [], hasNext: false, hasPrevious: false, total: 0 }, of);
  const { pages, index } = loadPage(repository, list, name, request, context);
  return pages.then((all) => new Connection(all[index] as Page<E>, of));
}

/** The place that a cursor of the list of that name names. */
function place<E extends Entity, Lists extends string>(
  repository: Repository<E, Lists>,
  { list, order }: ConnectionSource<Lists>,
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

function pageSize(argument: string, size: number | null | undefined): number | undefined {
  if (size == null) return undefined;
  if (size < 0 || size > MAX_PAGE_SIZE) {
    throw userInputError(argument, `Expected ${argument} to be from 0 to ${MAX_PAGE_SIZE}, got ${size}.`);
  }
  return size;
}
