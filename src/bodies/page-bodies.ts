import type { EntityCache } from '../cache/entity-cache.ts';
import type { Body, EntitySpace } from '../cache/entry.ts';
import type { Lagging } from '../cache/lagging.ts';
import type { HeldPage } from '../cache/memory/page-memory.ts';
import type { Entity } from '../entity/definition.ts';
import type { Page, Ref } from '../lists/page.ts';
import type { ReadBodies } from './body-reader.ts';
import { identitiesOf, type Scope } from './scope.ts';

/**
 * Makes what reads the bodies of whole pages. A page that memory holds as a whole takes one look instead of one for each body, and its
 * refs are not even made.
 *
 * @param space the kind of entity
 * @param cache the caches
 * @param read reads single bodies
 * @param isCurrent whether it is known what the columns are: if not, memory is not asked
 * @param answered told of how much was wanted when memory had it all as whole pages
 * @returns reads the bodies of pages into them, at once when memory holds them all; throws what the reading throws
 */
export function pageBodies(
  space: EntitySpace,
  cache: Pick<EntityCache, 'pages' | 'hasForgotten'>,
  read: ReadBodies,
  isCurrent = () => true,
  answered: (wanted: number) => void = () => {},
) {
  /** Takes whole pages from memory, as if each body had been read, unless the request has a body or a ref in another version. */
  const take = (held: readonly (HeldPage | undefined)[], refs: readonly Ref[], scope: Scope): boolean => {
    const identities = identitiesOf(scope, space);
    let agree = true;
    let taken = 0;
    for (const page of held) {
      for (const body of page?.bodies ?? []) {
        // A body's entity was made from a row, and has its id.
        const { id } = body.entity as Entity;
        const known = identities.get(id);
        if (known === undefined) {
          identities.set(id, body);
          taken += 1;
        } else if (known?.version !== body.version) agree = false;
      }
    }
    if (taken > 0) {
      const counts = scope.trace.entity(space.entity);
      counts.memoryHits += taken;
      counts.hits += taken;
    }
    return agree && refs.every(({ id, version }) => !identities.has(id) || identities.get(id)?.version === version);
  };

  const refsOf = (pages: readonly Page[]): Ref[] => {
    const refs: Ref[] = [];
    for (const page of pages) refs.push(...page.refs);
    return refs;
  };

  return (
    pages: readonly Page[],
    scope: Scope,
    asked: number,
    shape = space.shape,
    lagging?: Lagging,
  ): undefined | Promise<void> => {
    const past = scope.cold || !isCurrent();
    // A body that a write of this request returned is not kept for others: a trigger may have changed the row since.
    const mayKeep = () => !past && !scope.hasWritten && space.shape === shape && !cache.hasForgotten(asked);
    let held = pages.map((page) => (past ? undefined : cache.pages?.get(space, page.named)));
    let refs = refsOf(pages.filter((_page, i) => held[i] === undefined));
    // Which of two versions is newer, only the row tells. Reading single bodies asks for it.
    if (!take(held, refs, scope)) {
      held = [];
      refs = refsOf(pages);
    }
    const fill = (bodies: readonly (Body | null)[]): undefined => {
      let end = 0;
      for (const [i, page] of pages.entries()) {
        const own = held[i];
        if (own !== undefined) {
          page.bodies = own.bodies;
          page.texts = own.texts;
          continue;
        }
        const start = end;
        end += page.refs.length;
        const found = bodies.slice(start, end);
        if (mayKeep() && isAsNamed(found, page.refs)) cache.pages?.set(space, page.named, found);
        page.bodies = found;
      }
    };
    if (refs.length === 0) {
      answered(pages.length);
      return fill([]);
    }
    const bodies = read(refs, scope, asked, shape, lagging);
    return bodies instanceof Promise ? bodies.then(fill) : fill(bodies);
  };
}

/** Whether all bodies exist in the versions that the list named. A body that was read may be newer, or missing. */
function isAsNamed(bodies: readonly (Body | null)[], refs: readonly Ref[]): bodies is readonly Body[] {
  return bodies.length > 0 && bodies.every((body, i) => body !== null && body.version === refs[i]?.version);
}
