import type { EntityCache } from '../cache/entity-cache.ts';
import { type Body, type EntitySpace, entityAlone } from '../cache/entry.ts';
import type { Bodies } from '../cache/flights.ts';
import type { Lagging } from '../cache/lagging.ts';
import type { Brought } from '../cache/later-fills.ts';
import type { Loader, Want } from '../cache/read-through.ts';
import { identitiesOf, type Scope } from './scope.ts';

/** No row has this version. It stands for two different versions that lists of one request named: only Postgres knows which is newer. */
const NEWEST = '';

/**
 * Reads bodies for a request. What it has read before or memory holds is answered at once, without a promise: that is most of what is
 * read, and a promise would be a good part of what it costs.
 *
 * @param wants what to read, each id any number of times
 * @param scope the request's scope
 * @param asked when the list was asked that named the versions, in milliseconds on the monotonic clock; not given where none did
 * @param shape the shape of the entity at that time
 * @param lagging the replica that named the versions; not given where none did
 * @returns a body for each, in order, `null` for what there is not
 * @throws what the loaders throw
 */
export type ReadBodies = (
  wants: readonly Want[],
  scope: Scope,
  asked?: number,
  shape?: string,
  lagging?: Lagging,
) => (Body | null)[] | Promise<(Body | null)[]>;

/**
 * Gives the newest body of one entity at once, if the request has read it or memory holds it.
 *
 * @param id the entity's id
 * @param scope the request's scope
 * @returns the body, `null` for an entity that does not exist; `undefined` when it must be read
 */
export type RecallBody = (id: string, scope: Scope) => Body | null | undefined;

/**
 * @param space the kind of entity
 * @param cache the caches
 * @param isCurrent tells whether the columns are known
 * @returns gives bodies that need not be read
 */
export function bodyRecaller(
  space: EntitySpace,
  cache: Pick<EntityCache, 'recall'>,
  isCurrent: () => boolean,
): RecallBody {
  return (id, scope) => {
    if (scope.cold || !isCurrent()) return undefined;
    const identities = identitiesOf(scope, space);
    const known = identities.get(id);
    if (known !== undefined) return known;
    const held = cache.recall(space, { id, version: null }, scope.trace);
    if (held !== undefined) identities.set(id, held);
    return held;
  };
}

/** Where rows are read. */
export interface BodySource {
  readonly load: Loader;
  readonly loadShared: Loader;
  /** @returns whether the columns are known */
  isCurrent(): boolean;
}

/**
 * Makes a function that reads the bodies of one kind of entity, through the request's identity map and the caches.
 *
 * @param space the kind of entity
 * @param cache the caches
 * @param source functions that read rows: for one request, and shared with others; and one that tells whether the columns are known, without
 *   which bodies bypass the caches
 * @returns reads what the request has not read yet, or has read in another version than a list now names
 */
export function bodyReader(
  space: EntitySpace,
  cache: EntityCache,
  { load, loadShared, isCurrent }: BodySource,
): ReadBodies {
  /** Reads from Postgres and leaves all caches as they are. So no other request becomes slower or faster. */
  const readPast = async (wants: readonly Want[], { trace, cold }: Scope): Promise<Bodies> => {
    const bodies = await load(
      wants.map((want) => want.id),
      trace,
    );
    const counts = trace.entity(space.entity);
    for (const count of ['misses', 'bypassed'] as const) counts[count] += wants.length;
    if (cold) counts.cold += wants.length;
    return new Map(wants.map(({ id }) => [id, bodies.get(id) ?? null]));
  };

  /** Reads what memory did not answer, and puts it into the gaps. */
  const readMissing = async (
    wants: readonly Want[],
    answers: readonly (Body | null)[],
    missing: readonly Want[],
    identities: Map<string, Body | null>,
    scope: Scope,
    past: boolean,
    lagging?: Lagging,
  ): Promise<(Body | null)[]> => {
    const bodies = past
      ? await readPast(missing, scope)
      : await cache.read(space, missing, loadShared, scope.trace, lagging, wants.length - missing.length);
    for (const [id, body] of bodies) identities.set(id, body);
    return answers.map((answer, i) => {
      const body = bodies.get((wants[i] as Want).id);
      return body === undefined ? answer : body;
    });
  };

  /** What a list brought along is put into caches if it was made of these columns, and nothing was forgotten since the list was asked. */
  const keep = (
    brought: readonly Brought[],
    wanted: number,
    scope: Scope,
    asked: number,
    shape: string | undefined,
  ) => {
    scope.trace.entity(space.entity).misses += brought.length;
    if (space.shape === shape && !cache.hasForgotten(asked)) cache.keepForLists(space, brought, wanted);
  };

  return (wants, scope, asked, shape, lagging) => {
    const identities = identitiesOf(scope, space);
    const past = scope.cold || !isCurrent();
    // A list of its own, because another reading of the request may put an older body into the identity map meanwhile.
    const answers: (Body | null)[] = [];
    let missing: Map<string, Want> | null = null;
    const brought: Brought[] = [];
    for (const want of wants) {
      const known = identities.get(want.id);
      if (known !== undefined && (want.version === null || known?.version === want.version)) {
        answers.push(known);
        continue;
      }
      // It is searched only when the body was read in another version, which only happens in a race.
      const before = known === undefined ? undefined : wants.slice(0, answers.length).find(({ id }) => id === want.id);
      const other = missing?.get(want.id) ?? before;
      let held: Body | null | undefined;
      if (other === undefined && !past) {
        held = cache.recall(space, want, scope.trace);
        // The request has seen another version: it may have written that since the list was read.
        if (held === undefined && want.body !== undefined && known === undefined) {
          const { id, body } = want;
          held = body && entityAlone(body);
          if (body !== null) brought.push({ id, body });
        }
      }
      answers.push(held ?? null);
      if (held !== undefined) identities.set(want.id, held);
      else {
        missing ??= new Map();
        missing.set(
          want.id,
          other === undefined || other.version === want.version ? want : { ...want, version: NEWEST },
        );
      }
    }
    if (brought.length > 0) keep(brought, wants.length, scope, asked ?? cache.clock.now(), shape);
    else if (missing === null && shape !== undefined) cache.hasAnswered(space, wants.length);
    return missing === null
      ? answers
      : readMissing(wants, answers, [...missing.values()], identities, scope, past, lagging);
  };
}
