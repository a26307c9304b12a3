import { sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { isRfc3339, sqlTimestamp } from '../postgres/column-types.ts';
import { sqlType } from '../postgres/sql-type.ts';
import { type Statement, statement } from '../postgres/statement.ts';
import { textForm } from '../postgres/text-form.ts';
import { type EntityKey, idText } from './key.ts';
import type { RowVersion } from './version.ts';

/** How the rows of an entity are found by a column that is not its key. */
export interface Lookup {
  /** Finds the row for each value of the placeholder `values`, an array. */
  readonly statement: Statement<{ value: string; id: string; version: string }>;
  /**
   * @param value the value as text, as the entity's field has it or as Postgres writes it
   * @returns the value as Postgres writes it
   */
  textOf(value: string): string;
  /**
   * Tells whether the column can have a value. One that it cannot have would fail its whole batch.
   *
   * @param text the value as SQL text
   * @returns whether the column can have it
   */
  isValue(text: string): boolean;
}

/**
 * @param name the lookup's name in metrics, such as `Artist.by.name`
 * @param column the column, which should be unique: of several rows with a value, the one with the least key is found
 * @param entity the entity's table, its key and its row version
 * @returns how rows are found by the column
 * @throws {TypeError} when Larder does not know the form of the column's values
 */
export function lookupBy(
  name: string,
  column: PgColumn,
  { table, key, version }: { readonly table: PgTable; readonly key: EntityKey; readonly version: RowVersion },
): Lookup {
  const isValue = textForm(column);
  if (isValue === null) throw new TypeError(`${name}: rows cannot be found by a value of the type ${sqlType(column)}.`);
  const inOrder = key.columns.map((part) => sql`t.${sql.identifier(part.name)}`);
  return {
    isValue,
    textOf: isRfc3339(column) ? sqlTimestamp : (value) => value,
    statement: statement(
      name,
      sql`select q.value, r.id, r.version from unnest(${sql.placeholder('values')}::text[]) as q(value) cross join lateral (
        select ${idText(key.columns, 't')} as id, ${version.of('t')} as version from ${table} t
        where t.${sql.identifier(column.name)} = q.value::${sql.raw(sqlType(column))} order by ${sql.join(inOrder, sql`, `)} limit 1
      ) r`,
    ),
  };
}
