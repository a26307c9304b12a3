import { getTableColumns, getTableName, is } from 'drizzle-orm';
import { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { sqlType } from '../postgres/sql-type.ts';
import { called, checkName, checkOptions, wrongDeclaration } from './check-declaration.ts';
import { type FilterOptions, filterOf } from './filter.ts';
import { type EntityKey, keyForm } from './key.ts';
import type { ListDefinition, OrderTerm } from './list-definition.ts';
import { lacksOperator } from './operators.ts';

/** The section of docs/your-tables.md that explains it. */
const SECTION = 'lists-and-orders';

type Columns = PgColumn | readonly PgColumn[];

/** An order's column as its list declares it. */
interface TermOptions {
  readonly asc?: PgColumn;
  readonly desc?: PgColumn;
  readonly nulls?: 'first' | 'last';
}

/** The names of a list's options, and of those of an order's column. */
const OPTIONS: readonly (keyof ListOptions)[] = ['from', 'id', 'parent', 'orders', 'filters'];
const TERM_OPTIONS: readonly (keyof TermOptions)[] = ['asc', 'desc', 'nulls'];

/** A list as its entity declares it, for any table. */
export interface ListOptions {
  readonly from?: PgTable;
  readonly id?: Columns;
  readonly parent?: Columns;
  readonly orders?: Readonly<Record<string, PgColumn | TermOptions | readonly (PgColumn | TermOptions)[] | null>>;
  readonly filters?: Readonly<Record<string, FilterOptions>>;
}

/**
 * @param name the list's name, for errors
 * @param table the entity's table
 * @param key the entity's key
 * @param options the list as its entity declares it
 * @returns the list
 * @throws {TypeError} naming the list and what cannot be served. Types say the same; this is for those who write JavaScript
 */
export function defineList(name: string, table: PgTable, key: EntityKey, options: ListOptions): ListDefinition {
  checkOptions(name, options, OPTIONS, SECTION);
  const from = options.from ?? table;
  if (!is(from, PgTable)) throw wrongDeclaration(name, 'from to be a table', called(from), SECTION);
  const own = new Set(Object.values(getTableColumns(from)));
  const checked = (place: string, column: PgColumn, section: typeof SECTION | 'filters' = SECTION): PgColumn => {
    if (own.has(column)) return column;
    throw wrongDeclaration(name, `${place} to be a column of ${getTableName(from)}`, called(column), section);
  };
  const id = columnsOf(options.id ?? key.columns).map((column) => checked('id', column));
  if (id.length !== key.columns.length) {
    throw wrongDeclaration(
      name,
      `id to have as many columns as the key, ${key.columns.length}`,
      `${id.length}`,
      SECTION,
    );
  }
  // A mistyped column is `undefined`, though the property is there.
  const parent = 'parent' in options ? columnsOf(options.parent as Columns) : null;
  for (const column of parent ?? []) checked('parent', column);
  const orders = Object.entries(options.orders ?? { ID: null }).map(([order, terms]) => {
    const all = terms === null ? [] : Array.isArray(terms) ? terms : [terms];
    checkName(order, 'the name of an order', `${name}.${order}`);
    const ordered = (column: PgColumn) => {
      const found = checked(`the order ${order}`, column);
      if (sqlType(found).endsWith('[]')) {
        throw wrongDeclaration(name, `a column that is no array for the order ${order}`, found.name, SECTION);
      }
      if (!lacksOperator('order', found)) return found;
      const got = `${found.name} of the type ${sqlType(found)}`;
      throw wrongDeclaration(name, `a column that Postgres can sort for the order ${order}`, got, SECTION);
    };
    return [order, all.map((term) => termOf(`${name}.${order}`, term, ordered))];
  });
  if (orders.length === 0) throw wrongDeclaration(name, 'at least one order', 'none', SECTION);
  const filters = Object.entries(options.filters ?? {}).map(([filter, operators]) => {
    checkName(filter, 'the name of a filter', `${name}.${filter}`);
    const { config: _config, sql: _sql, type: _type, ...columns } = operators;
    for (const column of Object.values(columns)) checked(`the filter ${filter}`, column as PgColumn, 'filters');
    return [filter, filterOf(`${name}.${filter}`, from, operators)];
  });
  return {
    from,
    id,
    isJoined: from !== table || id.some((column, i) => column !== key.columns[i]),
    parent: parent === null ? null : keyForm(name, parent),
    orders: Object.fromEntries(orders),
    filters: Object.fromEntries(filters),
  };
}

function termOf(where: string, term: PgColumn | TermOptions, checked: (column: PgColumn) => PgColumn): OrderTerm {
  const options = (typeof term !== 'object' || is(term, PgColumn) ? { asc: term } : term) as TermOptions;
  const { asc, desc, nulls } = options;
  const descending = desc !== undefined;
  const column = checked((desc ?? asc) as PgColumn);
  checkOptions(where, options, TERM_OPTIONS, SECTION);
  if (descending && asc !== undefined) throw wrongDeclaration(where, 'asc or desc', 'both', SECTION);
  if (nulls !== undefined && nulls !== 'first' && nulls !== 'last') {
    throw wrongDeclaration(where, 'nulls to be first or last', String(nulls), SECTION);
  }
  return { column, descending, nullsFirst: nulls === undefined ? descending : nulls === 'first' };
}

function columnsOf(columns: Columns): readonly PgColumn[] {
  return (Array.isArray(columns) ? columns : [columns]) as readonly PgColumn[];
}
