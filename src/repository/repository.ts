import type { Scope } from '../bodies/scope.ts';
import type { Entity } from '../entity/definition.ts';
import type { ReferredKey } from '../entity/referred-tables.ts';
import type { Page, Ref } from '../lists/page.ts';
import type { PageRequest, Position } from '../lists/page-request.ts';

/**
 * Gives an entity at once when its request has read it or memory holds it. It belongs to `findByIds`, so that whoever has a `findByIds` of
 * their own is always asked.
 *
 * @param id the entity's id
 * @param scope the state of the request
 * @returns the entity, `null` when there is none; `undefined` when it must be read
 */
export type Recall<E extends Entity> = (id: string, scope: Scope) => E | null | undefined;

/** What the ids of an entity and the parents of one of its lists are. */
export interface KeysOf {
  /** The entity's own key. */
  readonly own: ReferredKey;
  /** What that refers to, by foreign keys that Drizzle knows. */
  readonly referred: readonly ReferredKey[];
  /** Whether no trigger notes changes of the entity's table, which may be a view. */
  readonly isUnwatched: boolean;
  /** The fields of text, each of which may hold an id of any key. */
  readonly texts: readonly string[];
  /** The columns that hold the list's parent; none where it has no parent. */
  readonly parent: readonly string[];
  /** Whether the parent is one column of text. */
  readonly isTextParent: boolean;
  /** What these refer to. */
  readonly parents: readonly ReferredKey[];
}

/**
 * Reads and writes entities of one kind. The number of statements of each method does not depend on how much it reads. A scope is the state
 * of a request; a method without one makes a new one. Those that read or write throw a DatabaseUnavailable when Postgres does not answer in
 * time.
 */
export interface Repository<
  E extends Entity,
  Lists extends string,
  New extends object = Omit<E, 'id'> & Partial<Entity>,
> {
  /** The entity's name, which is also its GraphQL type's. */
  readonly name: string;
  /**
   * @param id an id, as a client sent it
   * @returns whether a row can have the id
   */
  isId(id: string): boolean;
  /**
   * @param id the entity's id
   * @param scope the state of a request
   * @returns the entity; `null` when there is none, or when no row can have the id
   */
  findById(id: string, scope?: Scope): Promise<E | null>;
  /**
   * Reads entities with one SELECT at most.
   *
   * @param ids the ids, in any order
   * @param scope the state of a request
   * @returns an entity for each id, in order; `null` where there is none
   */
  findByIds(ids: readonly string[], scope?: Scope): Promise<(E | null)[]>;
  /**
   * Reads entities that a list named, with one SELECT at most.
   *
   * @param refs the ids and versions
   * @param scope the state of a request
   * @returns an entity for each ref, in order, at least as new as its version; `null` when its row is gone since
   */
  findByRefs(refs: readonly Ref[], scope?: Scope): Promise<(E | null)[]>;
  /**
   * Reads pages of a list. Each order and direction takes one statement; then there is one `findByRefs`.
   *
   * @param list the name of the list
   * @param requests what to read
   * @param scope the state of a request
   * @returns a page for each request, in order
   * @throws {InvalidInput} when a filter has a value that its column cannot have
   * @throws {TypeError} when there is no such list, order or direction, or a request has a parent where the list has none, or none where it
   *   has one
   * @throws {RangeError} when a limit is no size of a page
   */
  list(list: Lists, requests: readonly PageRequest[], scope?: Scope): Promise<Page<E>[]>;
  /**
   * Each write is one transaction. When it returns, every process reads what was written.
   *
   * @param values the fields; what is left out gets its default, of the table or of Drizzle (`$defaultFn`)
   * @param scope the state of a request
   * @returns the entity as it was written
   * @throws {InvalidInput} when a value cannot be written; then nothing was
   */
  create(values: New, scope?: Scope): Promise<E>;
  /**
   * @param id the entity's id
   * @param changes the fields to change, where `undefined` changes nothing; Drizzle's `$onUpdateFn` changes others
   * @param scope the state of a request
   * @returns the entity as it was written; `null` when there is none
   * @throws {InvalidInput} when a value cannot be written; then nothing was
   */
  update(
    id: string,
    changes: { readonly [Field in Exclude<keyof E, 'id'>]?: E[Field] | undefined },
    scope?: Scope,
  ): Promise<E | null>;
  /**
   * @param id the entity's id
   * @param scope the state of a request
   * @returns whether there was one
   * @throws {InvalidInput} when the entity is in use; then nothing was deleted
   */
  delete(id: string, scope?: Scope): Promise<boolean>;
  /** The names of its lists. */
  readonly lists: readonly Lists[];
  /**
   * @param list the name of a list
   * @returns whether it has a parent, and its orders; the first is the default
   * @throws {TypeError} when there is no such list
   */
  listOf(list: Lists): { readonly hasParent: boolean; readonly orders: readonly string[] };
  /**
   * @param list the name of a list
   * @returns what the entity's ids and the parents of the list are
   */
  keysOf(list: Lists): KeysOf;
  /**
   * @param list the name of a list
   * @param order one of its orders
   * @param position a position that a client sent
   * @returns whether an entry of the list can have that position
   */
  isPosition(list: Lists, order: string, position: Position): boolean;
}
