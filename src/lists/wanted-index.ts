import type { PgColumn } from 'drizzle-orm/pg-core';
import type { ListSource } from '../entity/list-definition.ts';
import { qualified } from '../postgres/sql-type.ts';
import { scanTerms } from './scan.ts';

/** A column of an index. */
export interface IndexColumn {
  readonly name: string;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  /** Whether the place of NULL matters. */
  readonly nullable: boolean;
}

/** The index that a list needs in one of its orders. */
export interface WantedIndex {
  /** The list and order that need it, such as `Artwork.byArtist by MADE_YEAR`. */
  readonly list: string;
  /** The parent's columns, in any order and direction. */
  readonly parent: readonly string[];
  /** The columns that rows are sorted by, in this order. They have these directions, or all of them the opposite. */
  readonly sorted: readonly IndexColumn[];
  /** Its columns as SQL. */
  readonly columns: string;
}

/**
 * @param source a list
 * @returns the indexes with which each page is a range scan of its own length
 */
export function wantedIndexes(source: ListSource): readonly WantedIndex[] {
  const parent = (source.parent?.columns ?? []).map(({ name }) => name);
  return Object.keys(source.orders).map((order) => {
    const known = new Set(parent);
    const sorted = scanTerms(source, order, false).flatMap(({ column, ...term }): IndexColumn[] => {
      // A column that is equal in all rows, or that was sorted by before, adds nothing.
      if (known.has(column.name)) return [];
      known.add(column.name);
      return [{ name: column.name, ...term }];
    });
    // An index can be read from either end, so the shorter text is chosen.
    const text = (columns: readonly IndexColumn[]) => [...parent.map(quoted), ...columns.map(columnText)].join(', ');
    const [there, back] = [text(sorted), text(flipped(sorted))];
    return {
      list: `${source.name} by ${order}`,
      parent,
      sorted,
      columns: back.length < there.length ? back : there,
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
 * @returns the columns that must not be NULL: rows with NULL in them would be missing
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
