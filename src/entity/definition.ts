import { getTableColumns, sql } from 'drizzle-orm';
import { getTableConfig, type PgColumn, type PgTable } from 'drizzle-orm/pg-core';
import { Columns } from '../cache/columns.ts';
import type { EntitySpace, LoadedBody } from '../cache/entry.ts';
import { type Statement, statement } from '../postgres/statement.ts';
import { bodyCodec } from './body-codec.ts';
import { columnCodec, columnForm } from './column-codec.ts';
import type { KeysetSource } from './keyset-source.ts';
import type { WriteRules } from './rules.ts';

/** What every entity has. Ids are decimal text: a bigint does not fit a JavaScript number. */
export interface Entity {
  readonly id: string;
}

/** A list of entities: the rows it pages through and the columns it can be sorted by. */
export interface ListDefinition extends Omit<KeysetSource, 'name' | 'entity'> {
  /** Each order's name with the column sorted by before the id; `null` sorts by id alone. The first is the default. */
  readonly orders: Record<string, PgColumn | null>;
}

/** An entity as its module in the domain declares it. */
export interface EntityDeclaration<Lists extends string> {
  /** Also the GraphQL type's name and the first half of the cache key. */
  readonly name: string;
  readonly table: PgTable;
  readonly lists: Record<Lists, ListDefinition>;
  /** What may be written. */
  readonly rules: WriteRules;
}

/** An entity with what follows from its table: its shape, its SELECT by ids and how a row becomes a body. */
export interface EntityDefinition<E extends Entity, Lists extends string> extends EntityDeclaration<Lists> {
  readonly space: EntitySpace;
  readonly byIds: Statement<EntityRow>;
  /** Writes a row of these fields. */
  insertOf(fields: readonly string[]): Statement<EntityRow>;
  /** Changes these fields of the row with the placeholder `id`; no row comes back when there is none. */
  updateOf(fields: readonly string[]): Statement<EntityRow>;
  /** Deletes the row with the placeholder `id`; no row comes back when there is none. */
  readonly deleteById: Statement<{ id: string }>;
  /** Turns a row of `byIds` into a frozen body. */
  toBody(row: EntityRow): LoadedBody;
  /** Never set: carries the entity's type to its repository. */
  readonly entity?: E;
}

/** A row of an entity's SELECT by ids: its columns under the entity's field names, as the driver gives them, and its version. */
export type EntityRow = Record<string, unknown> & { id: string; [VERSION]: string };

/** What no field of an entity is called. */
const VERSION = '#version';

/**
 * Derives everything that reading an entity needs from its table.
 *
 * @param declaration the entity's name, table and lists
 * @returns the definition that its repository is made from
 */
export function defineEntity<E extends Entity, Lists extends string>(
  declaration: EntityDeclaration<Lists>,
): EntityDefinition<E, Lists> {
  const { name, table } = declaration;
  const columns = Object.entries(getTableColumns(table));
  const body = sql.join(
    [
      ...columns.map(([field, column]) => sql`t.${sql.identifier(column.name)} as ${sql.identifier(field)}`),
      sql`t.xmin::text as ${sql.identifier(VERSION)}`,
    ],
    sql`, `,
  );
  const codec = bodyCodec(getTableColumns(table));
  const columnOf = (field: string) => {
    const column = columns.find(([known]) => known === field)?.[1];
    if (column === undefined) throw new TypeError(`${name} has no field ${field}`);
    return column;
  };
  const columnName = (field: string) => sql.identifier(columnOf(field).name);
  const placeOf = (field: string) =>
    sql.param(sql.placeholder(field), { mapToDriverValue: columnCodec(columnOf(field)).encode });
  const byId = sql`t.id = ${sql.placeholder('id')}::bigint`;
  return {
    ...declaration,
    space: spaceOf(name, new Columns(formsOf(table)), codec),
    byIds: statement(
      `${name}.byIds`,
      sql`select ${body} from ${table} t where t.id = any(${sql.placeholder('ids')}::bigint[])`,
    ),
    insertOf: memoized((fields) => {
      const into = sql.join(fields.map(columnName), sql`, `);
      const values = sql.join(fields.map(placeOf), sql`, `);
      const given = fields.length === 0 ? sql`default values` : sql`(${into}) values (${values})`;
      return statement(`${name}.insert`, sql`insert into ${table} as t ${given} returning ${body}`);
    }),
    updateOf: memoized((fields) => {
      const changes = sql.join(
        fields.map((field) => sql`${columnName(field)} = ${placeOf(field)}`),
        sql`, `,
      );
      return statement(`${name}.update`, sql`update ${table} t set ${changes} where ${byId} returning ${body}`);
    }),
    deleteById: statement(`${name}.delete`, sql`delete from ${table} t where ${byId} returning t.id`),
    toBody: ({ [VERSION]: version, ...row }) => {
      if (codec === null) return { version, entity: Object.freeze(row) };
      return { version, ...codec.fromRow(row) };
    },
  };
}

/**
 * @param table an entity's table
 * @returns what the values of each field depend on, as far as the code says it
 */
export function formsOf(table: PgTable): Record<string, readonly string[]> {
  const { schema = '', name } = getTableConfig(table);
  const forms = Object.entries(getTableColumns(table)).map(([field, column]) => {
    return [field, [schema, name, column.name, ...columnForm(column)]];
  });
  return Object.fromEntries(forms);
}

/**
 * @param entity the entity's name
 * @param columns its columns
 * @param codec how entities are made of what caches hold
 * @returns how the kind of entity is named and shaped in the cache
 */
export function spaceOf(entity: string, columns: Columns, codec: EntitySpace['codec']): EntitySpace {
  return { entity, shape: columns.shape, columns, codec: codec ?? null };
}

/** The statements of a set of fields are made when the set is first written. */
function memoized<T>(make: (fields: readonly string[]) => T): (fields: readonly string[]) => T {
  const made = new Map<string, T>();
  return (fields) => {
    const key = fields.join();
    const known = made.get(key) ?? make(fields);
    made.set(key, known);
    return known;
  };
}
