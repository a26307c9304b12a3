import type { Body, EntitySpace } from '../cache/entry.ts';
import type { WalPosition } from '../postgres/wal-position.ts';
import type { Trace } from '../trace/trace.ts';

/** What belongs to one request: its figures, and the bodies it has read, so that no entity is fetched twice. */
export interface Scope {
  readonly trace: Trace;
  /** Bodies by entity name and id; `null` for an entity that does not exist. */
  readonly identities: Map<string, Map<string, Body | null>>;
  /** The shapes of these bodies by entity name. */
  readonly shapes: Map<string, string>;
  /** Whether some of these bodies are what a write of this request has returned. */
  hasWritten: boolean;
  /** Whether bodies are read from Postgres alone, and left there: no cache is asked, filled or told anything. */
  readonly cold: boolean;
  /** Whether its lists are read at the primary: it writes, or has written. */
  fromPrimary: boolean;
  /** What its lists must have seen where a replica reads them: the end of its last write, or what its client says; `null` for nothing. */
  position: WalPosition | null;
}

/**
 * @param trace the request's trace
 * @param cold whether bodies are read past the caches
 * @param position what its lists must have seen
 * @returns a scope that has read nothing
 */
export function createScope(trace: Trace, cold = false, position: WalPosition | null = null): Scope {
  return { trace, identities: new Map(), shapes: new Map(), hasWritten: false, cold, fromPrimary: false, position };
}

/**
 * The identity map of one kind of entity.
 *
 * @param scope the request's scope
 * @param entity the entity's name
 * @returns the bodies read so far, to look up and add to
 */
export function identityMap(scope: Scope, entity: string): Map<string, Body | null> {
  let map = scope.identities.get(entity);
  if (map === undefined) {
    map = new Map();
    scope.identities.set(entity, map);
  }
  return map;
}

/**
 * The identity map of one kind of entity, as it is now: when the columns change, what the request has read before is forgotten.
 *
 * @param scope the request's scope
 * @param space the kind of entity
 * @returns the bodies of this shape read so far, to look up and add to
 */
export function identitiesOf(scope: Scope, { entity, shape }: EntitySpace): Map<string, Body | null> {
  const known = scope.shapes.get(entity);
  if (known !== shape) {
    scope.shapes.set(entity, shape);
    if (known !== undefined) scope.identities.delete(entity);
  }
  return identityMap(scope, entity);
}
