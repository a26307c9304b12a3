import { getTableColumns, getTableName, is, type SQL } from 'drizzle-orm';
import { PgColumn, type PgTable } from 'drizzle-orm/pg-core';
import { called, checkDeclaration, checkName, checkTogether, wrongDeclaration } from '../entity/check-declaration.ts';
import { defineList, type ListOptions } from '../entity/define-list.ts';
import { defineEntity, type Entity, type EntityDefinition } from '../entity/definition.ts';
import { keyOf } from '../entity/key.ts';
import type { ListDefinition } from '../entity/list-definition.ts';
import type { WriteRules } from '../entity/rules.ts';
import { rowVersion } from '../entity/version.ts';
import { createRepository } from './cached-repository.ts';
import type { FindBy } from './find-by.ts';
import type { ColumnOf, FiltersOf, KeyOf, ListFor, ListName, ListTypes, OrdersOf } from './list-options.ts';
import type { Repository } from './repository.ts';
import type { Storage } from './storage.ts';

/** A table whose rows are entities: it has a primary key, of one column or several, or another key that its entity names. */
export type EntityTable = PgTable;

/** An entity as its table says it. The field `id` is the key as text, whatever its type, and is there whatever the key is called. */
export type RowOf<Table extends EntityTable> = Readonly<Omit<Table['$inferSelect'], 'id'> & Entity>;

/** What `entity` takes beside the table. */
export interface EntityOptions<Table extends EntityTable, Lists, Verbs, By = Readonly<Record<never, never>>> {
  /** The columns that tell rows apart, which are unique and never NULL; the primary key when they are left out. */
  readonly key?: KeyOf<Table>;
  /** Which ids a row can have, of those that have the form of the key: others are answered with `null` without asking Postgres. */
  readonly isId?: (id: string) => boolean;
  /**
   * Unique columns that the entity is found by beside its key, by name: `by: { name: artists.name }`. Each needs an index. Where several rows
   * have a value after all, the one with the least key is found.
   */
  readonly by?: By & { readonly [Name in keyof By]: ColumnOf<Table> };
  /** The entity's lists by name, beside `all`, which every entity has. */
  readonly lists?: Lists & { readonly [Name in keyof Lists]: ListFor<Table, Lists[Name]> };
  /**
   * Whether no trigger tells of changes of the table: `cache_outbox_watch` was not called for it, since it is somebody else's, or a view. Each
   * read by id then asks Postgres for the version first, and is never older than that.
   */
  readonly unwatched?: boolean;
  /**
   * What tells one version of a row from another, in the place of `xmin`: a column that every write changes, or an expression over the
   * columns or over the table, for a view or for what has no `xmin`.
   */
  readonly version?: ColumnOf<Table> | SQL;
  /** What may be written, and what broken constraints mean. */
  readonly rules?: Partial<WriteRules>;
  /**
   * Adds verbs of one's own to the repository: those of an object, or of an instance of a class, which becomes the entity's repository. What it
   * calls as the repository does is in the place of that.
   *
   * @param repository what is there without them
   * @param storage where rows and bodies are
   * @returns an object that is nobody else's
   */
  readonly extend?: (repository: Repository<RowOf<Table>, ListName<Lists>>, storage: Storage) => Verbs;
}

/** An entity that has not been given its name yet. */
export interface DeclaredEntity<E extends Entity, Lists extends string, Types, Verbs> {
  /**
   * @param name the entity's name, such as `Author`
   * @returns everything that follows from its table
   * @throws {TypeError} naming the list and the column that cannot be served
   */
  define(name: string): EntityDefinition<E, Lists>;
  /**
   * @param name the entity's name
   * @param storage where rows and bodies are
   * @returns its repository, with the verbs that were added
   */
  open(name: string, storage: Storage): Repository<E, Lists> & Types & Verbs;
}

/** Entities by name, of whatever rows, lists and verbs. */
export type Entities = Readonly<
  Record<
    string,
    { define(name: string): EntityDefinition<Entity, string>; open(name: string, storage: Storage): unknown }
  >
>;

/** A repository for each of some entities, by its name. */
export type RepositoriesOf<E extends Entities> = { readonly [Name in keyof E]: ReturnType<E[Name]['open']> };

/**
 * Declares an entity over a table. Its name is what it is given among the others:
 * `{ Author: entity(authors), Book: entity(books, { lists: { byAuthor: { parent: books.authorId } } }) }`.
 *
 * @param table the table
 * @param options its key, lists, rules and verbs
 * @returns the declaration
 */
export function entity<
  Table extends EntityTable,
  const Lists = Record<never, never>,
  Verbs = unknown,
  const By = Record<never, never>,
>(
  table: Table,
  options: EntityOptions<Table, Lists, Verbs, By> = {},
): DeclaredEntity<
  RowOf<Table>,
  ListName<Lists>,
  ListTypes<OrdersOf<Lists>, FiltersOf<Lists>> & FindBy<RowOf<Table>, keyof By & string>,
  Verbs
> {
  const { texts = {}, constraints = {} } = options.rules ?? {};
  const version = rowVersion(options.version);
  const define = (name: string): EntityDefinition<RowOf<Table>, ListName<Lists>> => {
    checkDeclaration(name, table);
    const key = keyOf(name, table, keyColumns(name, table, options.key), options.isId);
    const declared = { all: {}, ...options.lists } as Readonly<Record<string, ListOptions>>;
    const lists = Object.entries(declared).map(([list, of]) => {
      checkName(list, 'the name of a list', `${name}.${list}`);
      return [list, defineList(`${name}.${list}`, table, key, of)];
    });
    return defineEntity({
      name,
      table,
      key,
      lists: Object.fromEntries(lists) as Record<ListName<Lists>, ListDefinition>,
      rules: { texts, constraints },
      unwatched: options.unwatched ?? false,
      by: (options.by ?? {}) as Readonly<Record<string, PgColumn>>,
      version,
    });
  };
  return {
    define,
    open: (name, storage) => {
      const repository = createRepository(define(name), storage);
      return withVerbs(repository, options.extend?.(repository, storage)) as ReturnType<
        ReturnType<typeof entity<Table, Lists, Verbs, By>>['open']
      >;
    },
  };
}

function keyColumns(name: string, table: PgTable, key: PgColumn | readonly PgColumn[] | undefined) {
  if (key === undefined) return undefined;
  const columns = is(key, PgColumn) ? [key] : (key as readonly PgColumn[]);
  const own = new Set(Object.values(getTableColumns(table)));
  for (const column of columns) {
    if (own.has(column)) continue;
    throw wrongDeclaration(name, `key to be a column of ${getTableName(table)}`, called(column), 'keys');
  }
  return columns;
}

/**
 * @param entities the entities by name
 * @returns their definitions
 */
export function definitionsOf(entities: Entities): readonly EntityDefinition<Entity, string>[] {
  return Object.entries(entities).map(([name, entity]) => entity.define(name));
}

/**
 * Opens the repositories of some entities.
 *
 * @param entities the entities by name
 * @param storage where rows and bodies are
 * @returns a repository for each, by the same name
 * @throws {TypeError} naming the entity, the list and the column that cannot be served
 */
export function openRepositories<E extends Entities>(entities: E, storage: Storage): RepositoriesOf<E> {
  checkTogether(entities);
  const repositories = Object.entries(entities).map(([name, declared]) => [name, declared.open(name, storage)]);
  return Object.fromEntries(repositories) as RepositoriesOf<E>;
}

/** An instance stays what it is, so that its methods find what is its own, private fields too; it gets the methods that it has not. */
function withVerbs(repository: object, verbs: unknown): object {
  if (typeof verbs !== 'object' || verbs === null) return repository;
  for (const [name, method] of Object.entries(repository)) {
    if (!(name in verbs)) Object.defineProperty(verbs, name, { value: method, enumerable: true });
  }
  return verbs;
}
