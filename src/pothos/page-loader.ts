import type { Entity } from '../entity/definition.ts';
import type { Page, PageRequest } from '../lists/page.ts';
import type { LarderContext } from '../repository/context.ts';
import type { Repository } from '../repository/repository.ts';
import { afterPromises } from './after-promises.ts';

/** Pages of one list that are about to be asked for together. */
interface PageBatch {
  readonly requests: PageRequest[];
  /** In the order of the requests. */
  readonly pages: Promise<Page<Entity>[]>;
}

/**
 * Asks for a page together with every other page of the same list that the request asks for in this tick: siblings of
 * any parent, limit and cursor share one list statement and one read of bodies. A DataLoader would make a promise for each of
 * them, and what settles it; that was a twentieth of the CPU time of the wide query.
 *
 * @param repository the listed entity's repository
 * @param list the list
 * @param name the list's name, which no other list of any entity has
 * @param request the page
 * @param context the request's context
 * @returns the pages of the batch, and which of them is the one asked for
 */
export function loadPage<E extends Entity, Lists extends string>(
  repository: Repository<E, Lists>,
  list: Lists,
  name: string,
  request: PageRequest,
  context: LarderContext,
): { readonly pages: Promise<Page<E>[]>; readonly index: number } {
  let batch = context.collected.get(name) as PageBatch | undefined;
  if (batch === undefined) {
    const requests: PageRequest[] = [];
    const pages = new Promise<void>(afterPromises).then(() => {
      context.collected.delete(name);
      return repository.list(list, requests, context.scope);
    });
    batch = { requests, pages };
    context.collected.set(name, batch);
  }
  const index = batch.requests.push(request) - 1;
  // A list's pages hold one kind of entity, and the list is the batch's name.
  return { pages: batch.pages as Promise<Page<E>[]>, index };
}
