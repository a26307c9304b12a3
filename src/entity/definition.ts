import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { Columns } from '../cache/columns.ts';
import type { EntitySpace, LoadedBody } from '../cache/entry.ts';
import { sqlType } from '../postgres/sql-type.ts';
import { arrayLiteral, type Statement, statement } from '../postgres/statement.ts';
import { bodyCodec } from './body-codec.ts';
import { type EntityRow, VERSION } from './entity-row.ts';
import { columnsOfIds, type EntityKey, idText, isNamed } from './key.ts';
import type { ListDefinition, ListSource } from './list-definition.ts';
import { type Lookup, lookupBy } from './lookup.ts';
import { ownName } from './referred-tables.ts';
import type { WriteRules } from './rules.ts';
import { formsOf, hasIdField, spaceOf } from './space.ts';
import { type RowVersion, rowVersion } from './version.ts';
import { type WriteStatements, writeStatements } from './write-statements.ts';

/** What every entity has. An id is the text of the row's key, whatever its type. A bigint does not fit a JavaScript number. */
export interface Entity {
  readonly id: string;
}

/** An entity as its module in the domain declares it. */
export interface EntityDeclaration<Lists extends string> {
  /** Also the GraphQL type's name and the first half of the cache key. */
  readonly name: string;
  readonly table: PgTable;
  readonly key: EntityKey;
  readonly lists: Record<Lists, ListDefinition>;
  /** What may be written. */
  readonly rules: WriteRules;
  /** Whether no trigger notes changes. Then Postgres is asked for versions before a body is read by id. */
  readonly unwatched?: boolean;
  /** What the version of a row is; its `xmin` when it is left out. */
  readonly version?: RowVersion;
  /** Columns by which rows are found, beside the key, by name. */
  readonly by?: Readonly<Record<string, PgColumn>>;
}

/** An entity and what follows from its table: its shape, its statements, and how a row becomes a body. */
export interface EntityDefinition<E extends Entity, Lists extends string>
  extends EntityDeclaration<Lists>,
    WriteStatements {
  readonly space: EntitySpace;
  readonly byIds: Statement<EntityRow>;
  /**
   * @param row the name of a row of the table in a statement
   * @returns the columns that `byIds` reads of it
   */
  bodyOf(row: string): SQL;
  /** Reads the versions of rows. Its placeholders are those of `byIds`. */
  readonly versionsOf: Statement<{ id: string; version: string }>;
  readonly lookups: Readonly<Record<string, Lookup>>;
  /**
   * @param ids ids of rows
   * @returns the values of the placeholders of `byIds` and `versionsOf`
   */
  valuesOfIds(ids: readonly string[]): Record<string, string>;
  /**
   * @param id the id of a row
   * @returns the values of the placeholders that name the row in `updateOf` and `deleteById`
   */
  valuesOfId(id: string): Record<string, string>;
  /** Deletes the row that `valuesOfId` names. It returns no row when there is none. */
  readonly deleteById: Statement<{ id: string }>;
  /**
   * @param row a row of `byIds`
   * @returns its frozen body
   */
  toBody(row: EntityRow): LoadedBody;
  /** Never set. It carries the entity's type to its repository. */
  readonly entity?: E;
}

/**
 * Derives from an entity's table everything that reading and writing it needs.
 *
 * @param declaration the entity's name, table and lists
 * @returns the definition, from which its repository is made
 */
export function defineEntity<E extends Entity, Lists extends string>(
  declaration: EntityDeclaration<Lists>,
): EntityDefinition<E, Lists> {
  const { name, table, key, version = rowVersion(table, undefined) } = declaration;
  const columns = Object.entries(getTableColumns(table));
  const bodyOf = (row: string, version: SQL) => {
    const values = columns.map(([field, column]) => {
      const own = sql`${sql.raw(row)}.${sql.identifier(column.name)}`;
      return sql`${field === 'id' && !isText(column) ? idText([column], row) : own} as ${sql.identifier(field)}`;
    });
    if (!hasIdField(table)) values.push(sql`${idText(key.columns, row)} as id`);
    return sql.join([...values, sql`${version} as ${sql.identifier(VERSION)}`], sql`, `);
  };
  const body = bodyOf('t', version.of('t'));
  // A statement that writes calls the row by the table's name, as Drizzle does.
  const itself = ownName(table);
  const written = bodyOf(itself, version.written(itself));
  const codec = bodyCodec(getTableColumns(table));
  const byId = sql.join(
    key.columns.map((column, i) => {
      const value = sql`${sql.placeholder(KEYS[i] as string)}::${sql.raw(sqlType(column))}`;
      return isNamed(column, sql`${sql.raw(itself)}.${sql.identifier(column.name)}`, value);
    }),
    sql` and `,
  );
  return {
    ...declaration,
    space: spaceOf(name, new Columns(formsOf(table, key)), codec),
    byIds: statement(`${name}.byIds`, sql`select ${body} from ${table} t ${ofIds(key)}`),
    versionsOf: statement(
      `${name}.versions`,
      sql`select ${idText(key.columns, 't')} as id, ${version.of('t')} as version from ${table} t ${ofIds(key)}`,
    ),
    valuesOfIds: (ids) => Object.fromEntries(columnsOfIds(ids, key).map((parts, i) => [KEYS[i], arrayLiteral(parts)])),
    valuesOfId: (id) => Object.fromEntries(key.partsOf(id).map((part, i) => [KEYS[i], part])),
    bodyOf: (row) => bodyOf(row, version.of(row)),
    lookups: Object.fromEntries(
      Object.entries(declaration.by ?? {}).map(([by, column]) => [
        by,
        lookupBy(`${name}.by.${by}`, column, { table, key, version }),
      ]),
    ),
    ...writeStatements(name, table, byId, written),
    deleteById: statement(
      `${name}.delete`,
      sql`delete from ${table} where ${byId} returning ${idText(key.columns, itself)} as id`,
    ),
    toBody: ({ [VERSION]: version, ...row }) => {
      if (codec === null) return { version, entity: Object.freeze(row) };
      return { version, ...codec.fromRow(row) };
    },
  };
}

/**
 * @param definition an entity
 * @param list one of its lists
 * @returns the list with its entity
 */
export function listSource<E extends Entity, Lists extends string>(
  definition: EntityDefinition<E, Lists>,
  list: Lists,
): ListSource {
  const { name, table, key, lists, version = rowVersion(table, undefined), bodyOf, toBody } = definition;
  return { ...lists[list], name: `${name}.${list}`, entity: table, key, version, bodyOf, toBody };
}

/** The placeholders of the key's columns. No field has such a name. */
const KEYS = Array.from({ length: 32 }, (_, i) => `key.${i}`);

/** A condition for the rows with some ids. */
function ofIds({ columns }: EntityKey): SQL {
  const all = columns.map((column, i) => sql`${sql.placeholder(KEYS[i] as string)}::${sql.raw(sqlType(column))}[]`);
  const place = ({ name }: PgColumn) => sql`t.${sql.identifier(name)}`;
  const [first] = columns;
  if (columns.length === 1 && first !== undefined) return sql`where ${place(first)} = any(${sql.join(all)})`;
  const same = columns.map((column, i) => sql`${place(column)} = ${sql.raw(`k.k${i}`)}`);
  const names = sql.raw(columns.map((_column, i) => `k${i}`).join(', '));
  return sql`join unnest(${sql.join(all, sql`, `)}) as k(${names}) on ${sql.join(same, sql` and `)}`;
}

/** Whether the driver gives the column's values as the text that Postgres writes. */
function isText(column: PgColumn): boolean {
  return !['smallint', 'integer'].includes(sqlType(column));
}
