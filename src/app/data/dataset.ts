import type { TextRows } from './copy.ts';

/** What a column of a data set may hold. */
export type ColumnKind = 'id' | 'text' | 'time';

/** One table of a data set: its columns are those of its CSV file, in order. */
export interface DatasetTable {
  readonly name: TableName;
  readonly columns: Readonly<Record<string, ColumnKind>>;
  /** The columns that identify a row. */
  readonly key: readonly string[];
  /** The table that an id in a column belongs to. */
  readonly references: Readonly<Record<string, TableName>>;
  /** Columns of the database that no file has, as SQL over the file's row `r`. */
  readonly derived: Readonly<Record<string, string>>;
  /** Whether ids are also given out by an identity sequence. */
  readonly identity: boolean;
}

/** The tables that a data set fills. */
export type TableName = 'brands' | 'campaigns' | 'events' | 'campaign_events';

/** The rows of each table. Each is read once, in the order of `datasetTables`. */
export type Dataset = Readonly<Record<TableName, TextRows>>;

/** The tables of a data set; each comes after those that it refers to. */
export const datasetTables: readonly DatasetTable[] = [
  {
    name: 'brands',
    columns: { id: 'id', name: 'text' },
    key: ['id'],
    references: {},
    derived: {},
    identity: true,
  },
  {
    name: 'campaigns',
    columns: { id: 'id', brand_id: 'id', title: 'text', body: 'text' },
    key: ['id'],
    references: { brand_id: 'brands' },
    derived: {},
    identity: true,
  },
  {
    name: 'events',
    columns: { id: 'id', title: 'text', body: 'text', starts_at: 'time' },
    key: ['id'],
    references: {},
    derived: {},
    identity: true,
  },
  {
    name: 'campaign_events',
    columns: { campaign_id: 'id', event_id: 'id' },
    key: ['campaign_id', 'event_id'],
    references: { campaign_id: 'campaigns', event_id: 'events' },
    // A subquery gives NULL for an unknown event, which the column refuses; a join would drop the link. It also stays one index probe for
    // each link, where the planner would scan all events again for each batch.
    derived: { starts_at: '(select e.starts_at from events e where e.id = r.event_id)' },
    identity: false,
  },
];
