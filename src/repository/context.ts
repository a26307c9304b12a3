import type { Scope } from '../bodies/scope.ts';

/** The context of every resolver: the repositories, and the state of the request. */
export interface LarderContext<R = unknown> {
  /** A repository for each entity, by the entity's name. */
  readonly repositories: R;
  readonly scope: Scope;
  /** What upper layers collect during the request, under keys of their own. */
  readonly collected: Map<unknown, unknown>;
}

/**
 * The context of a request. What is collected is kept here, not in a WeakMap by context. V8 keeps every value of an old WeakMap until the
 * next full collection, and a request's loader holds the whole request.
 *
 * All are own properties, because GraphQL Yoga and others copy them to a context that they make.
 */
export class Context<R = unknown> implements LarderContext<R> {
  readonly repositories: R;
  readonly scope: Scope;
  readonly collected = new Map<unknown, unknown>();

  /**
   * @param repositories a repository for each entity, by the entity's name
   * @param scope the state of the request
   */
  constructor(repositories: R, scope: Scope) {
    this.repositories = repositories;
    this.scope = scope;
  }
}
