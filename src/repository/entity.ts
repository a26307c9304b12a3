import { getTableColumns, getTableName, is, type SQL } from 'drizzle-orm';
import { PgColumn, type PgTable } from 'drizzle-orm/pg-core';
import { called, checkDeclaration, checkName, checkTogether, wrongDeclaration } from '../entity/check-declaration.ts';
import { defineList, type ListOptions } from '../entity/define-list.ts';
import { defineEntity, type Entity, type EntityDefinition } from '../entity/definition.ts';
import { keyOf } from '../entity/key.ts';
import type { ListDefinition } from '../entity/list-definition.ts';
import { checkRules, type WriteRules } from '../entity/rules.ts';
import { rowVersion } from '../entity/version.ts';
import { createRepository } from './cached-repository.ts';
import type { FindBy } from './find-by.ts';
import type { ColumnOf, FiltersOf, KeyOf, ListFor, ListName, ListTypes, OrdersOf, ParentedOf } from './list-options.ts';
import type { Repository } from './repository.ts';
import type { Storage } from './storage.ts';

/** A table whose rows are entities. It has a primary key, of one column or several, or another key that its entity names. */
export type EntityTable = PgTable;

/** An entity as its table declares it. The field `id` is the key as text, whatever its type and name. */
export type RowOf<Table extends EntityTable> = Readonly<Omit<Table['$inferSelect'], 'id'> & Entity>;

/** The fields of a new row. Columns may be left out that may be NULL or have a default; so may `id`. Those that Postgres generates are. */
export type NewRowOf<Table extends EntityTable> = Readonly<
  Omit<Table['$inferInsert'], 'id'> & { id?: Entity['id'] | undefined }
>;

/** The options of `entity`. */
export interface EntityOptions<Table extends EntityTable, Lists, Verbs, By = Readonly<Record<never, never>>> {
  /** The columns that identify a row; the primary key when they are left out. They are unique and never NULL. */
  readonly key?: KeyOf<Table>;
  /** Which ids a row can have, of those in the form of the key. Others are answered with `null` without asking Postgres. */
  readonly isId?: (id: string) => boolean;
  /**
   * Unique columns by which the entity is found, beside its key, by name: `by: { name: artists.name }`. Each needs an index. If several
   * rows have a value after all, the one with the least key is found.
   */
  readonly by?: By & { readonly [Name in keyof By]: ColumnOf<Table> };
  /** The entity's lists by name, beside `all`, which every entity has. */
  readonly lists?: Lists & { readonly [Name in keyof Lists]: ListFor<Table, Lists[Name]> };
  /**
   * Whether no trigger notes changes of the table. Then `cache_outbox_watch` was not called for it, because it belongs to somebody else, or
   * is a view. Each read by id asks Postgres for the version first, and is never older than that.
   */
  readonly unwatched?: boolean;
  /**
   * The version of a row, instead of `xmin`. It is a column that every write changes, or an expression over the columns or the table. A
   * view needs it, and so does whatever has no `xmin`.
   */
  readonly version?: ColumnOf<Table> | SQL;
  /** What may be written, and the errors for broken constraints. */
  readonly rules?: Partial<WriteRules>;
  /**
   * Adds methods of one's own to the repository. They come from an object, or from an instance of a class, which then becomes the entity's
   * repository. A method with the name of a repository's method replaces it.
   *
   * @param repository the repository without them
   * @param storage where rows and bodies are
   * @returns an object that nothing else uses
   */
  readonly extend?: (repository: Repository<RowOf<Table>, ListName<Lists>, NewRowOf<Table>>, storage: Storage) => Verbs;
}

/** An entity without its name. */
export interface DeclaredEntity<
  E extends Entity,
  Lists extends string,
  Types,
  Verbs,
  New extends object = Omit<E, 'id'> & Partial<Entity>,
> {
  /**
   * @param name the entity's name, such as `Author`
   * @returns its definition, which follows from its table
   * @throws {TypeError} naming the list and the column that cannot be served
   */
  define(name: string): EntityDefinition<E, Lists>;
  /**
   * @param name the entity's name
   * @param storage where rows and bodies are
   * @returns its repository, with the added methods
   */
  open(name: string, storage: Storage): Repository<E, Lists, New> & Types & Verbs;
}

/** Entities by name, with any rows, lists and methods. */
export type Entities = Readonly<
  Record<
    string,
    { define(name: string): EntityDefinition<Entity, string>; open(name: string, storage: Storage): unknown }
  >
>;

/** The repository of each entity, by the entity's name. */
export type RepositoriesOf<E extends Entities> = { readonly [Name in keyof E]: ReturnType<E[Name]['open']> };

/**
 * Declares an entity over a table. Its name is the property that holds it: `{ Author: entity(authors), Book: entity(books, { lists: {
 * byAuthor: { parent: books.authorId } } }) }`.
 *
 * @param table the table
 * @param options its key, lists, rules and methods
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
  ListTypes<OrdersOf<Lists>, FiltersOf<Lists>, ParentedOf<Lists>> & FindBy<RowOf<Table>, keyof By & string>,
  Verbs,
  NewRowOf<Table>
> {
  const { texts = {}, constraints = {} } = options.rules ?? {};
  const version = rowVersion(table, options.version);
  const define = (name: string): EntityDefinition<RowOf<Table>, ListName<Lists>> => {
    checkDeclaration(name, table, options);
    checkRules(name, table, options.rules ?? {});
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
      // The statements take what is given, and the types say what must be.
      const repository = createRepository(define(name), storage) as unknown as Repository<
        RowOf<Table>,
        ListName<Lists>,
        NewRowOf<Table>
      >;
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

/** An instance stays the same object, so that its methods find its private fields. It gets the repository's methods that it lacks. */
function withVerbs(repository: object, verbs: unknown): object {
  if (typeof verbs !== 'object' || verbs === null) return repository;
  for (const [name, method] of Object.entries(repository)) {
    if (!(name in verbs)) Object.defineProperty(verbs, name, { value: method, enumerable: true });
  }
  return verbs;
}
