import { getTableColumns, getTableName, is } from 'drizzle-orm';
import { PgColumn, PgTable } from 'drizzle-orm/pg-core';

/** The section of docs/your-tables.md that tells more. */
type Section = 'two-entities' | 'keys' | 'names' | 'lists-and-orders' | 'filters' | 'references' | 'permissions';

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
 * @param name the name of an entity
 * @param table its table
 * @throws {TypeError} naming what is taken, and the page that tells more
 */
export function checkDeclaration(name: string, table: PgTable): void {
  checkName(name, `the name of an entity`, name);
  if (RESERVED_ENTITIES.has(name)) {
    throw wrongDeclaration(name, 'the name of an entity', 'one that GraphQL or Relay have taken', 'names');
  }
  for (const field of Object.keys(getTableColumns(table))) {
    if (!RESERVED_FIELDS.has(field)) continue;
    const expected = `a field name that is free for ${getTableName(table)}`;
    throw wrongDeclaration(name, expected, `${field}, which nodes have`, 'names');
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

/**
 * @param name what is named in keys, cursors or global ids
 * @param what what it is the name of
 * @param where the same, in its place
 * @throws {TypeError} when it is no name of GraphQL's
 */
export function checkName(name: string, what: string, where: string): void {
  if (NAME.test(name)) return;
  throw wrongDeclaration(
    where,
    `${what}: letters, digits and _, no digit first and no two _`,
    JSON.stringify(name),
    'names',
  );
}

/**
 * @param value something that should have been a column
 * @returns what it is
 */
export function called(value: unknown): string {
  if (is(value, PgColumn)) return `${getTableName(value.table)}.${value.name}`;
  if (is(value, PgTable)) return `the table ${getTableName(value)}`;
  return value === undefined || value === null ? String(value) : `a ${typeof value}`;
}
