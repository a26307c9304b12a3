import { createScope, type Scope } from '../bodies/scope.ts';
import { InvalidInput } from '../entity/invalid-input.ts';
import { parsePosition } from '../postgres/wal-position.ts';
import type { Trace } from '../trace/trace.ts';

/** The context of every resolver: the repositories, and the state of the request. */
export interface LarderContext<R = unknown> {
  /** A repository for each entity, by the entity's name. */
  readonly repositories: R;
  readonly scope: Scope;
  /** What upper layers collect during the request, under keys of their own. */
  readonly collected: Map<unknown, unknown>;
}

export { InvalidInput, parsePosition };

/** What a request brings with it. */
export interface RequestOptions {
  /**
   * The `scope.position` that its client got after a write. The request then sees that write, even where a replica of Postgres reads the
   * lists. None when it is left out or `null`.
   */
  readonly position?: string | null | undefined;
}

/**
 * @param given the state of the request, or what the request brings with it
 * @param trace makes its trace
 * @returns the state of the request
 * @throws {InvalidInput} for a position that Larder never gave out
 */
export function scopeFor(given: Scope | RequestOptions = {}, trace: () => Trace): Scope {
  if ('identities' in given) return given;
  const position = given.position == null ? null : parsePosition(given.position);
  if (given.position != null && position === null) {
    throw new InvalidInput('position', 'MALFORMED', 'Expected a position as the answer to a write gave it.');
  }
  return createScope(trace(), false, position);
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
