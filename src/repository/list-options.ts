import type { SQL } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';

/** The columns of a table, by their types. The types exclude columns of another table. */
export type ColumnOf<Table extends PgTable> = Table['_']['columns'][keyof Table['_']['columns']];

/** The columns of a table whose values are text. */
type TextColumnOf<Table extends PgTable> = Extract<ColumnOf<Table>, { readonly _: { readonly data: string } }>;

/** The columns that hold a key: one, or several in order. */
export type KeyOf<Table extends PgTable> = ColumnOf<Table> | readonly ColumnOf<Table>[];

/** A column that a list is sorted by, which ascends by default. NULL comes first in a descending order, otherwise last. */
type OrderTermOf<Table extends PgTable> =
  | ColumnOf<Table>
  | { readonly asc: ColumnOf<Table>; readonly nulls?: 'first' | 'last'; readonly desc?: never }
  | { readonly desc: ColumnOf<Table>; readonly nulls?: 'first' | 'last'; readonly asc?: never };

/** The columns that a list is sorted by before the key, which breaks ties; `null` for the key alone. */
export type OrderOf<Table extends PgTable> = OrderTermOf<Table> | readonly OrderTermOf<Table>[] | null;

/** The values of a user's own conditions, by their SQL types. */
interface ValueTypes {
  readonly text: string;
  readonly uuid: string;
  readonly date: string;
  readonly timestamptz: string;
  readonly numeric: string | number;
  readonly bigint: string | number | bigint;
  readonly integer: number;
  readonly boolean: boolean;
  readonly jsonb: object;
  readonly 'text[]': readonly string[];
  readonly 'uuid[]': readonly string[];
  readonly 'bigint[]': readonly (string | number | bigint)[];
  readonly 'integer[]': readonly number[];
}

/** The argument of each operator. */
interface Operators<Table extends PgTable> {
  readonly eq: { readonly eq: ColumnOf<Table> };
  readonly in: { readonly in: ColumnOf<Table> };
  readonly gt: { readonly gt: ColumnOf<Table> };
  readonly gte: { readonly gte: ColumnOf<Table> };
  readonly lt: { readonly lt: ColumnOf<Table> };
  readonly lte: { readonly lte: ColumnOf<Table> };
  /** `@>`: arrays that contain all of some elements, or documents of jsonb that contain all of another. */
  readonly contains: { readonly contains: ColumnOf<Table> };
  readonly isNull: { readonly isNull: ColumnOf<Table> };
  /** `ILIKE`: text that begins so, ignoring case. */
  readonly startsWith: { readonly startsWith: TextColumnOf<Table> };
  /** `websearch_to_tsquery` on a tsvector, or on what `to_tsvector` makes of text. */
  readonly search: { readonly search: ColumnOf<Table>; readonly config?: string };
  /** A condition of one's own, as `condition` makes it. */
  readonly sql: { readonly sql: (t: Table, value: SQL) => SQL; readonly type: keyof ValueTypes };
}

/** A filter of a list: one operator with its column. */
export type FilterOf<Table extends PgTable> = {
  [O in keyof Operators<Table>]: Operators<Table>[O] & {
    readonly [Other in Exclude<keyof Operators<Table>, O>]?: never;
  };
}[keyof Operators<Table>];

type DataOf<Column> = Column extends PgColumn ? Column['_']['data'] : never;

/**
 * A filter with a condition of one's own. Naming the table again lets the condition infer its types.
 *
 * @param _table the table that the list scans
 * @param type the SQL type of the value
 * @param sql the condition on the row `t`, with the place of the value
 * @returns the filter
 */
export function condition<Table extends PgTable, const Type extends keyof ValueTypes>(
  _table: Table,
  type: Type,
  sql: (t: Table, value: SQL) => SQL,
): { readonly sql: (t: Table, value: SQL) => SQL; readonly type: Type } {
  return { sql, type };
}

/** The type of a filter's argument, by the filter's declaration. */
export type FilterValue<Filter> = Filter extends
  | { readonly eq: infer Column }
  | { readonly gt: infer Column }
  | { readonly gte: infer Column }
  | { readonly lt: infer Column }
  | { readonly lte: infer Column }
  | { readonly contains: infer Column }
  ? DataOf<Column>
  : Filter extends { readonly in: infer Column }
    ? readonly DataOf<Column>[]
    : Filter extends { readonly isNull: unknown }
      ? boolean
      : Filter extends { readonly type: infer Type extends keyof ValueTypes }
        ? ValueTypes[Type]
        : string;

/** A list over the rows of a table. */
export interface ListOver<Table extends PgTable> {
  /** The columns that hold the parent's key; left out for a list of all rows. */
  readonly parent?: KeyOf<Table>;
  /** Each order by its name. The first is the default. */
  readonly orders?: Readonly<Record<string, OrderOf<Table>>>;
  /** Each filter by its name. */
  readonly filters?: Readonly<Record<string, FilterOf<Table>>>;
}

/** A list over the rows of another table, such as one that joins two entities. */
interface ListOverJoin<Join extends PgTable> extends ListOver<Join> {
  readonly from: Join;
  /** The columns that hold the listed entity's key. */
  readonly id: KeyOf<Join>;
}

/** The options of a list, which depend on whether it names a table of its own. */
export type ListFor<Table extends PgTable, List> = KnownOptions<List> &
  (List extends { readonly from: infer Join extends PgTable } ? ListOverJoin<Join> : ListOver<Table>);

/** No option but those that are known, since the compiler lets others pass where it infers their type. */
type NoOther<Options, Known> = { readonly [Other in Exclude<keyof Options, Known>]?: never };

/** An order whose columns have no other options, such as a misspelt `nulls`. */
type KnownTerms<Order> = Order extends PgColumn | null
  ? unknown
  : Order extends readonly unknown[]
    ? { readonly [I in keyof Order]: KnownTerms<Order[I]> }
    : NoOther<Order, 'asc' | 'desc' | 'nulls'>;

/** A list without other options, such as a misspelt `orders`. */
type KnownOptions<List> = NoOther<List, keyof ListOverJoin<PgTable>> &
  (List extends { readonly orders: infer Orders }
    ? { readonly orders: { readonly [Name in keyof Orders]: KnownTerms<Orders[Name]> } }
    : unknown);

/** The names of the lists of an entity. */
export type ListName<Lists> = (keyof Lists & string) | 'all';

/** The names of the orders of each list. */
export type OrdersOf<Lists> = {
  readonly [Name in ListName<Lists>]: Name extends keyof Lists
    ? Lists[Name] extends { readonly orders: infer Orders }
      ? keyof Orders & string
      : 'ID'
    : 'ID';
};

/** The types of the filters' arguments, by list. */
export type FiltersOf<Lists> = {
  readonly [Name in ListName<Lists>]: Name extends keyof Lists
    ? Lists[Name] extends { readonly filters: infer Filters }
      ? { readonly [Filter in keyof Filters]?: FilterValue<Filters[Filter]> | null | undefined }
      : Readonly<Record<never, never>>
    : Readonly<Record<never, never>>;
};

/** The names of the lists that have a parent. */
export type ParentedOf<Lists> = {
  readonly [Name in keyof Lists & string]: Lists[Name] extends { readonly parent: unknown } ? Name : never;
}[keyof Lists & string];

/** Types of a repository for the builder's fields, besides its methods; never set. */
export interface ListTypes<Orders, Filters, Parented> {
  readonly listOrders?: Orders;
  readonly listFilters?: Filters;
  readonly listParents?: Parented;
}
