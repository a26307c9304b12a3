import type { Scope } from '../bodies/scope.ts';

/** What every resolver of a GraphQL server gets: the repositories, and what belongs to this request. */
export interface LarderContext<R = unknown> {
  /** A repository for each entity, by the entity's name. */
  readonly repositories: R;
  readonly scope: Scope;
  /** What layers above collect during the request, under keys of their own. */
  readonly collected: Map<unknown, unknown>;
}

/**
 * The context of a request. What is collected is kept here and not in a WeakMap by context: of such a map that has grown old, V8
 * keeps every value until the next full collection, and with a request's loader all of the request. All are properties of its own:
 * GraphQL Yoga, like others, copies them to a context that it makes itself.
 */
export class Context<R = unknown> implements LarderContext<R> {
  readonly repositories: R;
  readonly scope: Scope;
  readonly collected = new Map<unknown, unknown>();

  /**
   * @param repositories a repository for each entity, by the entity's name
   * @param scope what belongs to the request
   */
  constructor(repositories: R, scope: Scope) {
    this.repositories = repositories;
    this.scope = scope;
  }
}
