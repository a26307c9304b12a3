import { getTableColumns } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { type Entity, type EntityDefinition, listSource } from '../entity/definition.ts';
import type { ListSource } from '../entity/list-definition.ts';
import { ownName } from '../entity/referred-tables.ts';
import { filledColumns, flipped, type IndexColumn, type WantedIndex, wantedIndexes } from '../lists/wanted-index.ts';
import type { Database } from '../postgres/client.ts';
import { qualified } from '../postgres/sql-type.ts';
import { readTableFacts, type TableFacts, type TableIndex } from '../postgres/table-facts.ts';

/** Something that an entity needs and the database lacks. */
export interface Finding {
  /** The subject, such as `Artwork.byArtist by MADE_YEAR`. */
  readonly about: string;
  /** What is wrong, for people. */
  readonly problem: string;
  /** The statement that mends it; `null` where there are several ways. */
  readonly statement: string | null;
}

/** Any entity. */
type Definition = EntityDefinition<Entity, string>;

const ABSENT: TableFacts = {
  ...{ exists: false, indexable: false, partitionedBy: null },
  ...{ indexes: [], columns: [], nullable: [] },
};

/**
 * Checks whether the database has what some entities need. Without an index, a page reads the whole list, and a read by a column of `by` the
 * whole table. A row with NULL in a column that Drizzle calls `.notNull()` is in no page.
 *
 * @param database where the tables are
 * @param definitions the entities
 * @returns what is wrong; nothing when all is well
 * @throws {DatabaseUnavailable} when Postgres does not answer in time
 */
export async function examine(database: Database, definitions: readonly Definition[]): Promise<readonly Finding[]> {
  const sources = definitions.flatMap((definition) =>
    Object.keys(definition.lists).map((list) => listSource(definition, list)),
  );
  const tables = new Set([
    ...sources.map(({ from }) => ownName(from)),
    ...definitions.map(({ table }) => ownName(table)),
  ]);
  const known = await readTableFacts(database, [...tables]);
  const factsOf = (table: PgTable) => known.get(ownName(table)) ?? ABSENT;
  const found = [
    ...definitions.flatMap((definition) => ofKey(definition, factsOf(definition.table))),
    ...definitions.flatMap((definition) => ofLookups(definition, factsOf(definition.table))),
    ...sources.flatMap((source) => ofList(source, factsOf(source.from))),
  ];
  // Lists may share an index, so findings are kept by their statement.
  const statements = new Map<string, Finding>();
  for (const finding of found) {
    const same = statements.get(finding.statement ?? finding.problem);
    const about =
      same === undefined || same.about === finding.about ? finding.about : `${same.about}, ${finding.about}`;
    statements.set(finding.statement ?? finding.problem, { ...finding, about });
  }
  return [...statements.values()];
}

/** What statements name that is not there; `null` when all is. */
function absent(about: string, table: PgTable, { exists, columns }: TableFacts): Finding | null {
  if (!exists) return { about, problem: `There is no table ${ownName(table)}.`, statement: null };
  const lacking = Object.values(getTableColumns(table)).filter(({ name }) => !columns.includes(name));
  if (lacking.length === 0) return null;
  const names = lacking.map(({ name }) => qualified(undefined, name)).join(', ');
  const hint = lacking.some(({ keyAsName }) => keyAsName)
    ? ` Drizzle's option casing is not heeded: name the column, as in integer('made_year').`
    : '';
  return { about, problem: `${ownName(table)} has no column ${names}.${hint}`, statement: null };
}

function ofKey({ name, table, key }: Definition, facts: TableFacts): Finding[] {
  const lacking = absent(name, table, facts);
  if (lacking !== null) return [lacking];
  const problem = `The key of ${ownName(table)} is not unique: a read by id may answer one row or another, and reads the whole table.`;
  const names = key.columns.map((column) => column.name);
  return ofUnique({ about: name, problem }, ownName(table), facts, names);
}

/** What is missing where rows are found by other columns than the key. A column that is not there is said of the key. */
function ofLookups({ name, table, by = {} }: Definition, facts: TableFacts): Finding[] {
  const { indexable, indexes, columns, partitionedBy } = facts;
  const lacking = Object.entries(by).filter(
    ([, column]) =>
      columns.includes(column.name) && !indexes.some(({ columns: [first] }) => first?.name === column.name),
  );
  return (indexable ? lacking : []).map(([field, column]) => {
    const place = qualified(undefined, column.name);
    const unique = partitionedBy?.every((part) => part === column.name) === false ? '' : 'UNIQUE ';
    const hint = unique === '' ? '' : ' Without UNIQUE, several rows may have a value.';
    const problem = `Finding a row by ${place} reads the whole table: ${ownName(table)} has no index that begins with it.${hint}`;
    const statement = `CREATE ${unique}INDEX ${ofKind(facts)}ON ${ownName(table)} (${place});`;
    return { about: `${name} by ${field}`, problem, statement };
  });
}

/** What is missing where some columns of a table are to be unique. */
function ofUnique(
  { about, problem }: Pick<Finding, 'about' | 'problem'>,
  table: string,
  facts: TableFacts,
  names: readonly string[],
): Finding[] {
  if (!facts.indexable || facts.indexes.some((index) => isUniqueOver(index, names))) return [];
  if (facts.partitionedBy?.every((column) => column !== null && names.includes(column)) === false) {
    const why = 'No index can see to it without the columns that the table is partitioned by.';
    return [{ about, problem: `${problem} ${why}`, statement: null }];
  }
  const columns = names.map((column) => qualified(undefined, column)).join(', ');
  return [{ about, problem, statement: `CREATE UNIQUE INDEX ${ofKind(facts)}ON ${table} (${columns});` }];
}

/** How an index is made: Postgres cannot make one of a partitioned table concurrently. */
function ofKind({ partitionedBy }: TableFacts): string {
  return partitionedBy === null ? 'CONCURRENTLY ' : '';
}

function ofList(source: ListSource, facts: TableFacts): Finding[] {
  const lacking = absent(source.name, source.from, facts);
  if (lacking !== null) return [lacking];
  const { indexable, indexes, nullable } = facts;
  const table = ownName(source.from);
  const findings: Finding[] = [];
  for (const wanted of indexable ? wantedIndexes(source) : []) {
    if (indexes.some((index) => serves(index, wanted))) continue;
    const problem = `A page of ${wanted.list} reads more than it shows: ${table} has no index in this order.`;
    const statement = `CREATE INDEX ${ofKind(facts)}ON ${table} (${wanted.columns});`;
    findings.push({ about: wanted.list, problem, statement });
  }
  for (const { name } of filledColumns(source)) {
    if (!nullable.includes(name)) continue;
    findings.push({
      about: source.name,
      problem: `${table}.${name} is notNull() in Drizzle and may be NULL in the database: such rows are missing from the list.`,
      statement: null,
    });
  }
  const names = [...(source.parent?.columns ?? []), ...source.id].map(({ name }) => name);
  if (source.isJoined) {
    const problem = `${table} may have an entity twice for one parent: pages would skip or repeat it.`;
    findings.push(...ofUnique({ about: source.name, problem }, table, facts, names));
  }
  return findings;
}

/** Whether an index makes some columns unique. */
function isUniqueOver({ unique, columns }: TableIndex, names: readonly string[]): boolean {
  return unique && columns.every(({ name }) => name !== null && names.includes(name));
}

/** Whether a list can be read by an index: its parent's rows are adjacent, and in the list's order from either end. */
function serves({ columns }: TableIndex, { parent, sorted }: WantedIndex): boolean {
  const first = columns.slice(0, parent.length);
  if (!first.every(({ name }) => name !== null && parent.includes(name)) || first.length < parent.length) return false;
  const rest = columns.slice(parent.length, parent.length + sorted.length);
  if (rest.length < sorted.length || !rest.every(({ usual }) => usual)) return false;
  const isSorted = (wanted: readonly IndexColumn[]) =>
    wanted.every(({ name, descending, nullsFirst, nullable }, i) => {
      const column = rest[i];
      if (column?.name !== name || column.descending !== descending) return false;
      return !nullable || column.nullsFirst === nullsFirst;
    });
  return isSorted(sorted) || isSorted(flipped(sorted));
}
