import { getTableColumns, getTableName, is } from 'drizzle-orm';
import { PgColumn, PgTable } from 'drizzle-orm/pg-core';

/** The section of docs/your-tables.md that explains it. */
type Section =
  | 'two-entities'
  | 'keys'
  | 'names'
  | 'lists-and-orders'
  | 'filters'
  | 'references'
  | 'permissions'
  | 'writes-of-your-own';

/** Names that GraphQL, Relay and Larder use themselves. */
const RESERVED_ENTITIES = new Set([
  ...['Query', 'Mutation', 'Subscription', 'Node', 'PageInfo'],
  ...['ID', 'Int', 'Float', 'String', 'Boolean'],
]);

/** The options of `entity`. */
const OPTIONS = ['key', 'isId', 'by', 'lists', 'unwatched', 'version', 'rules', 'extend'];

/** Fields that a node has beside those of its entity. */
const RESERVED_FIELDS = new Set(['databaseId', '__typename']);

/** A GraphQL name (the specification, section 2.1.9) that introspection does not reserve. It stands in keys, cursors and global ids. */
const NAME = /^(?!__)[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * @param where the place of the error, such as `Book.byAuthor`
 * @param expected what should be there
 * @param got what is there
 * @param section the section of docs/your-tables.md that explains it
 * @returns an error that says so
 */
export function wrongDeclaration(where: string, expected: string, got: string, section: Section): TypeError {
  return new TypeError(`${where}: expected ${expected}, got ${got}. See docs/your-tables.md#${section}.`);
}

/**
 * @param name the name of an entity
 * @param table its table
 * @param options what is declared of it beside the table
 * @throws {TypeError} naming what is reserved or misspelt, and the page that explains it
 */
export function checkDeclaration(name: string, table: PgTable, options: object): void {
  checkName(name, `the name of an entity`, name);
  if (RESERVED_ENTITIES.has(name)) {
    throw wrongDeclaration(name, 'the name of an entity', 'one that GraphQL or Relay have taken', 'names');
  }
  for (const field of Object.keys(getTableColumns(table))) {
    if (!RESERVED_FIELDS.has(field)) continue;
    const expected = `a field name that is free for ${getTableName(table)}`;
    throw wrongDeclaration(name, expected, `${field}, which nodes have`, 'names');
  }
  checkOptions(name, options, OPTIONS, 'two-entities');
}

/**
 * Checks that no option is misspelt, since one that nobody knows would be ignored.
 *
 * @param where the place of the options, such as `Book.byAuthor`
 * @param options the options
 * @param known the names that options may have
 * @param section the section of docs/your-tables.md that explains them
 * @throws {TypeError} naming an option that there is not
 */
export function checkOptions(where: string, options: object, known: readonly string[], section: Section): void {
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue;
    throw wrongDeclaration(where, `one of the options ${known.join(', ')}`, option, section);
  }
}

/**
 * Checks that no two entities conflict.
 *
 * @param entities the entities by name
 * @throws {TypeError} naming two that conflict
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
 * @param name a name that stands in keys, cursors or global ids
 * @param what the kind of thing that has the name
 * @param where the place of the name, for the error
 * @throws {TypeError} when it is no GraphQL name
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
 * Checks the parent of a page that is asked for. Otherwise a list without one would answer with everybody's rows, and one that lacks its
 * own with none.
 *
 * @param list the list's name, such as `Book.byAuthor`
 * @param hasParent whether the list has a parent
 * @param parent the parent's id; `null` names nothing, and is let pass for any list
 * @throws {TypeError} naming the list
 */
export function checkParent(list: string, hasParent: boolean, parent: string | null | undefined): void {
  if (parent === null || hasParent === (parent !== undefined)) return;
  throw hasParent
    ? wrongDeclaration(list, 'a parent, or null for an empty page', 'undefined', 'lists-and-orders')
    : wrongDeclaration(list, 'a list that has a parent, since one is named', 'one without', 'lists-and-orders');
}

/**
 * @param value something that should have been a column
 * @returns a description of it
 */
export function called(value: unknown): string {
  if (is(value, PgColumn)) return `${getTableName(value.table)}.${value.name}`;
  if (is(value, PgTable)) return `the table ${getTableName(value)}`;
  return value === undefined || value === null ? String(value) : `a ${typeof value}`;
}
