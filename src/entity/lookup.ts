import { sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { sqlType } from '../postgres/sql-type.ts';
import { type Statement, statement } from '../postgres/statement.ts';
import { textForm } from '../postgres/text-form.ts';
import { type EntityKey, idText } from './key.ts';
import type { RowVersion } from './version.ts';

/** How the rows of an entity are found by a column that is not its key. */
export interface Lookup {
  /** Names the row of each value of the placeholder `values`, an array. */
  readonly statement: Statement<{ value: string; id: string; version: string }>;
  /** Whether the column can have the value: one that it cannot have would fail the whole batch that it stands in. */
  isValue(text: string): boolean;
}

/**
 * @param name what the lookup is called in figures, such as `Artist.by.name`
 * @param column the column, which is unique: of several rows with a value, the one with the least key is found
 * @param entity the entity's table, its key and what the version of a row is
 * @returns how rows are found by the column
 * @throws {TypeError} when it is not known what values of the column look like
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
    statement: statement(
      name,
      sql`select q.value, r.id, r.version from unnest(${sql.placeholder('values')}::text[]) as q(value) cross join lateral (
        select ${idText(key.columns, 't')} as id, ${version.of('t')} as version from ${table} t
        where t.${sql.identifier(column.name)} = q.value::${sql.raw(sqlType(column))} order by ${sql.join(inOrder, sql`, `)} limit 1
      ) r`,
    ),
  };
}
