import type { EntityCache } from '../cache/entity-cache.ts';
import type { Body, EntitySpace } from '../cache/entry.ts';
import type { ReadBodies } from './body-reader.ts';
import type { Entity } from './entity-definition.ts';
import type { Ref, RefPage } from './page.ts';
import { identityMap, type Scope } from './scope.ts';

/** The bodies of some pages, page by page; `null` for a row that went away since. */
export type PageBodies = readonly (readonly (Body | null)[])[];

/**
 * Makes what reads the bodies of whole pages. A page that memory holds as a whole takes one look instead of one for each body, and
 * nothing is made of what the list said of it.
 *
 * @param space the kind of entity
 * @param cache the caches
 * @param read reads single bodies
 * @returns reads the bodies of pages, at once when memory holds them all; throws what the reading throws
 */
export function pageBodies(space: EntitySpace, cache: Pick<EntityCache, 'pages'>, read: ReadBodies) {
  /** What memory holds of a page, as if each of its bodies had been asked for. */
  const recall = (page: RefPage, scope: Scope): readonly Body[] | undefined => {
    const bodies = scope.cold ? undefined : cache.pages?.get(space, page.text);
    if (bodies === undefined) return undefined;
    const identities = identityMap(scope, space.entity);
    let recalled = 0;
    for (const body of bodies) {
      // A body's entity was made from a row, and has its id.
      const { id } = body.entity as Entity;
      if (identities.get(id)?.version === body.version) continue;
      identities.set(id, body);
      recalled += 1;
    }
    if (recalled > 0) {
      const counts = scope.trace.entity(space.entity);
      counts.memoryHits += recalled;
      counts.hits += recalled;
    }
    return bodies;
  };

  return (pages: readonly RefPage[], scope: Scope, since: number): PageBodies | Promise<PageBodies> => {
    const refs: Ref[] = [];
    const known = pages.map((page) => {
      const bodies = recall(page, scope);
      if (bodies === undefined) refs.push(...page.refs);
      return bodies;
    });
    if (refs.length === 0) return known.map((bodies) => bodies ?? []);
    const answer = (read: readonly (Body | null)[]): PageBodies => {
      let end = 0;
      return known.map((bodies, i) => {
        if (bodies !== undefined) return bodies;
        const page = pages[i] as RefPage;
        const start = end;
        end += page.refs.length;
        const found = read.slice(start, end);
        if (!scope.cold && found.length > 0 && isAsNamed(found, page.refs)) cache.pages?.set(space, page.text, found);
        return found;
      });
    };
    const bodies = read(refs, scope, since);
    return bodies instanceof Promise ? bodies.then(answer) : answer(bodies);
  };
}

/** Whether each body is there, and of the version that the list named: what was read may be newer. */
function isAsNamed(bodies: readonly (Body | null)[], refs: readonly Ref[]): bodies is readonly Body[] {
  return bodies.every((body, i) => body !== null && body.version === refs[i]?.version);
}
