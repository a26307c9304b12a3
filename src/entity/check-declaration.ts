import { getTableColumns, getTableName, is } from 'drizzle-orm';
import { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { EntityDeclaration, ListDefinition } from './definition.ts';

/** The section of docs/your-tables.md that tells more. */
type Section = 'keys' | 'names' | 'lists-and-orders' | 'filters' | 'permissions';

/** What GraphQL, Relay and Larder call by these names. */
const RESERVED_ENTITIES = new Set([
  ...['Query', 'Mutation', 'Subscription', 'Node', 'PageInfo'],
  ...['ID', 'Int', 'Float', 'String', 'Boolean'],
]);

/** What a node has beside the fields of its entity. */
const RESERVED_FIELDS = new Set(['databaseId', '__typename']);

/** A name of GraphQL's (its specification, section 2.1.9) that its introspection has not taken: it stands in keys, cursors and global ids. */
const NAME = /^(?!__)[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * @param where what is wrong, such as `Book.byAuthor`
 * @param expected what should be there
 * @param got what is there
 * @param section where docs/your-tables.md tells more
 * @returns the error that says so
 */
export function wrongDeclaration(where: string, expected: string, got: string, section: Section): TypeError {
  return new TypeError(`${where}: expected ${expected}, got ${got}. See docs/your-tables.md#${section}.`);
}

/**
 * Checks what the types of a declaration say already, for those who write JavaScript, and what no type can say.
 *
 * @param declaration an entity, its table and its lists
 * @throws {TypeError} naming the entity, the list and the column that cannot be served, and the page that tells more
 */
export function checkDeclaration({ name, table, lists }: Pick<EntityDeclaration<string>, 'name' | 'table' | 'lists'>) {
  checkName(name, `the name of an entity`, name);
  if (RESERVED_ENTITIES.has(name)) {
    throw wrongDeclaration(name, 'the name of an entity', 'one that GraphQL or Relay have taken', 'names');
  }
  for (const field of Object.keys(getTableColumns(table))) {
    if (RESERVED_FIELDS.has(field)) {
      throw wrongDeclaration(
        name,
        `a field name that is free for ${getTableName(table)}`,
        `${field}, which nodes have`,
        'names',
      );
    }
  }
  checkKey(name, table);
  for (const [list, definition] of Object.entries<ListDefinition>(lists)) {
    checkName(list, 'the name of a list', `${name}.${list}`);
    checkList(`${name}.${list}`, definition);
  }
}

/**
 * Checks that entities do not get into each other's way.
 *
 * @param entities the entities by name
 * @throws {TypeError} naming two that do
 */
export function checkTogether(entities: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(entities)) {
    for (const end of ['Connection', 'Edge']) {
      if (`${name}${end}` in entities) {
        throw wrongDeclaration(`${name}${end}`, 'a name of its own', `that of the pages of ${name}`, 'names');
      }
    }
  }
}

function checkName(name: string, what: string, where: string): void {
  if (NAME.test(name)) return;
  throw wrongDeclaration(
    where,
    `${what}: letters, digits and _, no digit first and no two _`,
    JSON.stringify(name),
    'names',
  );
}

function checkKey(name: string, table: PgTable): void {
  const { id } = getTableColumns(table);
  if (id?.primary === true) return;
  const got = id === undefined ? 'no column of that name' : 'a column that is no primary key';
  throw wrongDeclaration(name, `${getTableName(table)} to have the primary key id`, got, 'keys');
}

function checkList(where: string, definition: ListDefinition): void {
  const { from, orders } = definition;
  if (!is(from, PgTable)) throw wrongDeclaration(where, 'from to be a table', called(from), 'lists-and-orders');
  const own = new Set<unknown>(Object.values(getTableColumns(from)));
  const check = (place: string, column: unknown, section: Section) => {
    if (own.has(column)) return;
    throw wrongDeclaration(where, `${place} to be a column of ${getTableName(from)}`, called(column), section);
  };
  check('id', definition.id, 'lists-and-orders');
  // A name that was mistyped is there, and is undefined.
  if ('parent' in definition) check('parent', definition.parent, 'lists-and-orders');
  if ('range' in definition) check('range', definition.range, 'filters');
  if (Object.keys(orders).length === 0) throw wrongDeclaration(where, 'at least one order', 'none', 'lists-and-orders');
  for (const [order, column] of Object.entries(orders)) {
    checkName(order, 'the name of an order', `${where}.${order}`);
    if (column !== null) check(`the order ${order}`, column, 'lists-and-orders');
  }
}

/** What something is that should have been a column. */
function called(value: unknown): string {
  if (is(value, PgColumn)) return `${getTableName(value.table)}.${value.name}`;
  if (is(value, PgTable)) return `the table ${getTableName(value)}`;
  return value === undefined || value === null ? String(value) : `a ${typeof value}`;
}
