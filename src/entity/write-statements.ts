import { getTableColumns, is, type SQL, sql } from 'drizzle-orm';
import { PgCustomColumn, type PgTable } from 'drizzle-orm/pg-core';
import { type Statement, statement } from '../postgres/statement.ts';
import { isSql } from '../postgres/value-text.ts';
import { columnCodec } from './column-codec.ts';
import type { EntityRow } from './entity-row.ts';

/** How rows of an entity are inserted and changed. */
export interface WriteStatements {
  /**
   * @param values the values by field; one that is SQL, or that its column writes as SQL, is a part of the statement
   * @returns the statement that inserts a row with these fields
   */
  insertOf(values: Readonly<Record<string, unknown>>): Statement<EntityRow>;
  /**
   * @param changes the values by field; one that is SQL, or that its column writes as SQL, is a part of the statement
   * @returns the statement that changes these fields of the row that `valuesOfId` names; it returns no row when there is none
   */
  updateOf(changes: Readonly<Record<string, unknown>>): Statement<EntityRow>;
}

/**
 * The written table has no alias, so that SQL among the values names its columns as Drizzle does, and may read other tables.
 *
 * @param name the entity's name
 * @param table its table
 * @param byId the condition for a row of it, by the table's own name
 * @param written what is returned of that row
 * @returns the statements that write rows
 */
export function writeStatements(name: string, table: PgTable, byId: SQL, written: SQL): WriteStatements {
  const columns = new Map(Object.entries(getTableColumns(table)));
  const columnOf = (field: string) => {
    const column = columns.get(field);
    if (column === undefined) throw new TypeError(`${name} has no field ${field}`);
    return column;
  };
  const columnName = (field: string) => sql.identifier(columnOf(field).name);
  const placeOf = ([field, value]: Given) =>
    isSql(value) ? value : sql.param(sql.placeholder(field), { mapToDriverValue: columnCodec(columnOf(field)).encode });
  /** A custom type may write a value as SQL, which no parameter can carry. */
  const partOf = ([field, value]: Given): Given => {
    const column = columnOf(field);
    if (value === null || isSql(value) || !is(column, PgCustomColumn)) return [field, value];
    const made = column.mapToDriverValue(value);
    return [field, isSql(made) ? made : value];
  };
  return {
    insertOf: memoized(partOf, (given) => {
      const into = sql.join(
        given.map(([field]) => columnName(field)),
        sql`, `,
      );
      const values = sql.join(given.map(placeOf), sql`, `);
      const row = given.length === 0 ? sql`default values` : sql`(${into}) values (${values})`;
      return statement(`${name}.insert`, sql`insert into ${table} ${row} returning ${written}`);
    }),
    updateOf: memoized(partOf, (given) => {
      const changes = sql.join(
        given.map((each) => sql`${columnName(each[0])} = ${placeOf(each)}`),
        sql`, `,
      );
      return statement(`${name}.update`, sql`update ${table} set ${changes} where ${byId} returning ${written}`);
    }),
  };
}

/** A field and its value. */
type Given = readonly [field: string, value: unknown];

/** Makes the statement for a set of fields when that set is first written. With SQL among the values, the text may be another each time. */
function memoized(
  partOf: (given: Given) => Given,
  make: (given: readonly Given[]) => Statement<EntityRow>,
): WriteStatements['insertOf'] {
  const made = new Map<string, Statement<EntityRow>>();
  return (values) => {
    const given = Object.entries(values).map(partOf);
    if (given.some(([, value]) => isSql(value))) return { ...make(given), prepared: false };
    const key = Object.keys(values).join();
    const known = made.get(key) ?? make(given);
    made.set(key, known);
    return known;
  };
}
