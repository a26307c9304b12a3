import { type ColumnBaseConfig, type ColumnBuilderBaseConfig, entityKind } from 'drizzle-orm';
import { type AnyPgTable, customType, PgColumn, PgIntColumnBaseBuilder } from 'drizzle-orm/pg-core';

/** A bigint column whose value is decimal text, as Postgres writes it: a JavaScript number loses digits above 2^53. */
class BigintText extends PgColumn<ColumnBaseConfig<'string', 'BigintText'>> {
  static override readonly [entityKind]: string = 'BigintText';

  override getSQLType(): string {
    return 'bigint';
  }
}

/** Drizzle's builder for such a column. */
class BigintTextBuilder<T extends ColumnBuilderBaseConfig<'string', 'BigintText'>> extends PgIntColumnBaseBuilder<T> {
  static override readonly [entityKind]: string = 'BigintTextBuilder';

  constructor(name: string) {
    super(name, 'string', 'BigintText');
  }

  /** Drizzle calls it when the table is made. */
  build(table: AnyPgTable): BigintText {
    return new BigintText(table as never, this.config as never);
  }
}

/**
 * @param name the column's name
 * @returns a bigint column whose value is decimal text
 */
export function bigintText<Name extends string>(name: Name) {
  return new BigintTextBuilder<{
    name: Name;
    dataType: 'string';
    columnType: 'BigintText';
    data: string;
    driverParam: string;
    enumValues: undefined;
  }>(name);
}

/**
 * A timestamptz column of the years 1 to 9999, whose value is RFC 3339 text in UTC with all digits of the second, such as
 * `2026-01-02T03:04:05.000006Z`. A JavaScript Date would lose microseconds.
 */
export const rfc3339 = customType<{ data: string; driverData: string }>({
  dataType: () => 'timestamp(6) with time zone',
  fromDriver: rfc3339OfSql,
});

function rfc3339OfSql(text: string): string {
  return text.replace(' ', 'T').replace(/\+00$/, 'Z');
}

/**
 * @param column any column
 * @returns whether `rfc3339` made it
 */
export function isRfc3339(column: PgColumn): boolean {
  return (column as { readonly mapFrom?: unknown }).mapFrom === rfc3339OfSql;
}

/**
 * Turns the value of an `rfc3339` column into the SQL text of sort keys.
 *
 * @param iso RFC 3339 in UTC
 * @returns the text as Postgres writes it
 */
export function sqlTimestamp(iso: string): string {
  return iso.replace('T', ' ').replace(/Z$/, '+00');
}
