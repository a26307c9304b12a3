import type { Body, EntitySpace } from '../cache/entry.ts';
import type { WalPosition } from '../postgres/wal-position.ts';
import type { Trace } from '../trace/trace.ts';

/** The state of one request: its trace, and the bodies that it has read, so that it reads no entity twice. */
export interface Scope {
  readonly trace: Trace;
  /** Bodies by entity name and id; `null` for an entity that does not exist. */
  readonly identities: Map<string, Map<string, Body | null>>;
  /** The shapes of these bodies by entity name. */
  readonly shapes: Map<string, string>;
  /** Whether a write of this request has returned some of these bodies. */
  hasWritten: boolean;
  /** Whether bodies are read from Postgres alone. Then no cache is asked, filled or invalidated. */
  readonly cold: boolean;
  /**
   * Whether its operation asks for one field after the other. Only then is what memory holds answered at once. Of fields side by side, one
   * would go on sooner than the other, and the two would ask with two statements for what one could read.
   */
  asksInTurn: boolean;
  /** Whether its lists are read at the primary: it writes, or has written. */
  fromPrimary: boolean;
  /**
   * The position in Postgres' log that a replica must have reached for this request's lists: that of its last write, or one from its
   * client; `null` for none.
   */
  position: WalPosition | null;
}

/**
 * @param trace the request's trace
 * @param cold whether bodies bypass the caches
 * @param position the position that a replica must have reached
 * @returns a scope that has read nothing
 */
export function createScope(trace: Trace, cold = false, position: WalPosition | null = null): Scope {
  const [identities, shapes] = [new Map(), new Map()];
  return { trace, identities, shapes, hasWritten: false, cold, asksInTurn: false, fromPrimary: false, position };
}

/**
 * @param scope the request's scope
 * @param entity the entity's name
 * @returns the bodies of this entity that were read so far, by id, to look up and add to
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
 * Gives the current identity map of one kind of entity. When the columns change, the request forgets what it has read before.
 *
 * @param scope the request's scope
 * @param space the kind of entity
 * @returns the bodies of this shape that were read so far, by id, to look up and add to
 */
export function identitiesOf(scope: Scope, { entity, shape }: EntitySpace): Map<string, Body | null> {
  const known = scope.shapes.get(entity);
  if (known !== shape) {
    scope.shapes.set(entity, shape);
    if (known !== undefined) scope.identities.delete(entity);
  }
  return identityMap(scope, entity);
}
