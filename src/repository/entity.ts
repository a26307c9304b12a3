import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { checkDeclaration, checkTogether } from '../entity/check-declaration.ts';
import { defineEntity, type Entity, type EntityDefinition, type ListDefinition } from '../entity/definition.ts';
import type { WriteRules } from '../entity/rules.ts';
import { createRepository } from './cached-repository.ts';
import type { Repository } from './repository.ts';
import type { Storage } from './storage.ts';

/** A table whose rows are entities: its key is the column `id`. */
export type EntityTable = PgTable & { readonly id: PgColumn; readonly $inferSelect: Entity };

/** An entity as its table says it. */
export type RowOf<Table extends EntityTable> = Readonly<Table['$inferSelect']>;

/** The columns of a table, by their types: a column of another table is none of them. */
type ColumnOf<Table extends PgTable> = Table['_']['columns'][keyof Table['_']['columns']];

/** A list over the rows of a table. */
interface ListOver<Table extends PgTable> {
  /** The column that holds the parent's id; left out for a list of all. */
  readonly parent?: ColumnOf<Table>;
  /** The column that pages may be bounded by. */
  readonly range?: ColumnOf<Table>;
  /** Each order's name with the column sorted by before the id; `null` sorts by id alone. The first is the default. */
  readonly orders?: Readonly<Record<string, ColumnOf<Table> | null>>;
}

/** A list over the rows of another table, such as one that joins two entities. */
interface ListOverJoin<Join extends PgTable> extends ListOver<Join> {
  readonly from: Join;
  /** The column that holds the listed entity's id. */
  readonly id: ColumnOf<Join>;
}

/** What a list may be, by whether it names a table of its own. */
type ListFor<Table extends PgTable, List> = List extends { readonly from: infer Join extends PgTable }
  ? ListOverJoin<Join>
  : ListOver<Table>;

/** What `entity` takes beside the table. */
export interface EntityOptions<Table extends EntityTable, Lists, Verbs> {
  /** The entity's lists by name, beside `all`, which every entity has. */
  readonly lists?: Lists & { readonly [Name in keyof Lists]: ListFor<Table, Lists[Name]> };
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

/** The names of the lists of an entity. */
type ListName<Lists> = (keyof Lists & string) | 'all';

/** The names of the orders of each list. */
type OrdersOf<Lists> = {
  readonly [Name in ListName<Lists>]: Name extends keyof Lists
    ? Lists[Name] extends { readonly orders: infer Orders }
      ? keyof Orders & string
      : 'ID'
    : 'ID';
};

/** What the types of a builder's fields know of a repository besides its methods; never set. */
export interface ListTypes<Orders> {
  readonly listOrders?: Orders;
}

/** An entity that has not been given its name yet. */
export interface DeclaredEntity<E extends Entity, Lists extends string, Orders, Verbs> {
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
  open(name: string, storage: Storage): Repository<E, Lists> & ListTypes<Orders> & Verbs;
}

/** Entities by name, of whatever rows, lists and verbs. */
export type Entities = Readonly<Record<string, { open(name: string, storage: Storage): unknown }>>;

/** A repository for each of some entities, by its name. */
export type RepositoriesOf<E extends Entities> = { readonly [Name in keyof E]: ReturnType<E[Name]['open']> };

/**
 * Declares an entity over a table. Its name is what it is given among the others:
 * `{ Author: entity(authors), Book: entity(books, { lists: { byAuthor: { parent: books.authorId } } }) }`.
 *
 * @param table the table, with the key `id`
 * @param options its lists, rules and verbs
 * @returns the declaration
 */
export function entity<Table extends EntityTable, const Lists = Record<never, never>, Verbs = unknown>(
  table: Table,
  options: EntityOptions<Table, Lists, Verbs> = {},
): DeclaredEntity<RowOf<Table>, ListName<Lists>, OrdersOf<Lists>, Verbs> {
  const byId = { ID: null };
  const lists: Record<string, ListDefinition> = { all: { from: table, id: table.id, orders: byId } };
  for (const [name, list] of Object.entries(options.lists ?? {})) {
    const { orders = byId, ...rest } = list as ListOver<PgTable>;
    lists[name] = { from: table, id: table.id, ...rest, orders };
  }
  const { texts = {}, constraints = {} } = options.rules ?? {};
  const define = (name: string): EntityDefinition<RowOf<Table>, ListName<Lists>> => {
    checkDeclaration({ name, table, lists });
    return defineEntity({
      name,
      table,
      lists: lists as Record<ListName<Lists>, ListDefinition>,
      rules: { texts, constraints },
    });
  };
  return {
    define,
    open: (name, storage) => {
      const repository = createRepository(define(name), storage);
      return withVerbs(repository, options.extend?.(repository, storage)) as ReturnType<
        DeclaredEntity<RowOf<Table>, ListName<Lists>, OrdersOf<Lists>, Verbs>['open']
      >;
    },
  };
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
