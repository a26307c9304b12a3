import { getTableConfig, type PgColumn } from 'drizzle-orm/pg-core';
import type { ListSource } from '../entity/list-definition.ts';
import { qualified } from '../postgres/sql-type.ts';
import { scanTerms } from './scan.ts';

/** A column of an index. */
export interface IndexColumn {
  readonly name: string;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  /** Whether it says something where NULL stands. */
  readonly nullable: boolean;
}

/** The index that a list needs in one of its orders. */
export interface WantedIndex {
  /** Which rows are read by it, such as `Artwork.byArtist by MADE_YEAR`. */
  readonly list: string;
  /** The table, quoted. */
  readonly table: string;
  /** The parent's columns, in any order and direction. */
  readonly parent: readonly string[];
  /** Those that rows are sorted by, in this order and these directions, or all in the others. */
  readonly sorted: readonly IndexColumn[];
  /** The statement that makes it. */
  readonly statement: string;
}

/**
 * @param source a list
 * @returns the indexes by which each page is a range scan of its own length
 */
export function wantedIndexes(source: ListSource): readonly WantedIndex[] {
  const parent = (source.parent?.columns ?? []).map(({ name }) => name);
  const { schema, name: table } = getTableConfig(source.from);
  return Object.keys(source.orders).map((order) => {
    const known = new Set(parent);
    const sorted = scanTerms(source, order, false).flatMap(({ column, ...term }): IndexColumn[] => {
      // What is the same for all rows, or was sorted by before, adds nothing.
      if (known.has(column.name)) return [];
      known.add(column.name);
      return [{ name: column.name, ...term }];
    });
    // An index is read from either end: the one with fewer words is named.
    const text = (columns: readonly IndexColumn[]) => [...parent.map(quoted), ...columns.map(columnText)].join(', ');
    const [there, back] = [text(sorted), text(flipped(sorted))];
    const on = qualified(schema, table);
    return {
      list: `${source.name} by ${order}`,
      table: on,
      parent,
      sorted,
      statement: `CREATE INDEX CONCURRENTLY ON ${on} (${back.length < there.length ? back : there});`,
    };
  });
}

/**
 * @param columns the columns of an index
 * @returns the same, read from the other end
 */
export function flipped(columns: readonly IndexColumn[]): readonly IndexColumn[] {
  return columns.map((column) => ({ ...column, descending: !column.descending, nullsFirst: !column.nullsFirst }));
}

/**
 * @param source a list
 * @returns columns that are taken never to be NULL: rows with NULL there would be missing
 */
export function filledColumns(source: ListSource): readonly PgColumn[] {
  const sorted = Object.values(source.orders).flatMap((terms) => terms.map(({ column }) => column));
  return [...new Set([...sorted.filter(({ notNull }) => notNull), ...source.id])];
}

function columnText({ name, descending, nullsFirst, nullable }: IndexColumn): string {
  const nulls = nullable && nullsFirst !== descending ? ` NULLS ${nullsFirst ? 'FIRST' : 'LAST'}` : '';
  return `${quoted(name)}${descending ? ' DESC' : ''}${nulls}`;
}

function quoted(name: string): string {
  return qualified(undefined, name);
}
