import type { Scope } from '../bodies/scope.ts';
import type { Entity } from '../entity/definition.ts';
import type { Page, Ref } from '../lists/page.ts';
import type { PageRequest, Position } from '../lists/page-request.ts';

/**
 * Reads and writes entities of one kind; each method costs a number of statements that does not depend on how much it reads. A scope is
 * what belongs to a request: without one, a method has one of its own.
 */
export interface Repository<E extends Entity, Lists extends string> {
  /** The entity's name, which is also its GraphQL type's. */
  readonly name: string;
  /** @returns whether a row can have the id */
  isId(id: string): boolean;
  /** @returns the entity, or `null` when there is none or the id is not one a row can have */
  findById(id: string, scope?: Scope): Promise<E | null>;
  /** @returns an entity for each id, in order, `null` for gaps; at most one SELECT */
  findByIds(ids: readonly string[], scope?: Scope): Promise<(E | null)[]>;
  /** @returns an entity at least as new as each ref, in order, `null` when its row is gone since; at most one SELECT */
  findByRefs(refs: readonly Ref[], scope?: Scope): Promise<(E | null)[]>;
  /** @returns a page for each request, in order; one statement for each order and direction, then one `findByRefs` */
  list(list: Lists, requests: readonly PageRequest[], scope?: Scope): Promise<Page<E>[]>;
  /**
   * Each write is one transaction; when it returns, every process reads what was written.
   *
   * @returns the entity as it was written; from `update`, `null` when there is none with that id
   * @throws {InvalidInput} when a value cannot be written; then nothing was
   */
  create(values: Omit<E, 'id'> & { readonly id?: string }, scope?: Scope): Promise<E>;
  update(id: string, changes: Partial<Omit<E, 'id'>>, scope?: Scope): Promise<E | null>;
  /** @returns whether there was one; otherwise as the other writes */
  delete(id: string, scope?: Scope): Promise<boolean>;
  /** The names of its lists. */
  readonly lists: readonly Lists[];
  /** @returns what a list can do; its first order is the default */
  listOf(list: Lists): { readonly hasParent: boolean; readonly orders: readonly string[] };
  /** @returns whether a place that a client sent could be one of the list in that order */
  isPosition(list: Lists, order: string, position: Position): boolean;
}
