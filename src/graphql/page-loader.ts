import DataLoader from 'dataloader';
import type { Repository } from '../repository/cached-repository.ts';
import type { Entity } from '../repository/entity-definition.ts';
import type { Page, PageRequest } from '../repository/page.ts';
import type { GraphQLContext } from './context.ts';

/**
 * Asks for a page together with every other page of the same list that the request asks for in this tick: siblings of
 * any parent, limit and cursor share one list statement and one read of bodies.
 *
 * @param repository the listed entity's repository
 * @param list the list
 * @param request the page
 * @param context the request's context
 * @returns the page
 */
export function loadPage<E extends Entity, Lists extends string>(
  repository: Repository<E, Lists>,
  list: Lists,
  request: PageRequest,
  context: GraphQLContext,
): Promise<Page<E>> {
  const name = `${repository.name}.${list}`;
  let loader = context.pageLoaders.get(name);
  if (loader === undefined) {
    loader = new DataLoader((requests) => repository.list(list, requests, context.scope), { cache: false });
    context.pageLoaders.set(name, loader);
  }
  // A list's pages hold one kind of entity, and the list is the loader's name.
  return loader.load(request) as Promise<Page<E>>;
}
