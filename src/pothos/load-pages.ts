import type { GraphQLError } from 'graphql';
import type { Scope } from '../bodies/scope.ts';
import type { Entity } from '../entity/definition.ts';
import { InvalidInput } from '../entity/invalid-input.ts';
import type { Page } from '../lists/page.ts';
import type { PageRequest } from '../lists/page-request.ts';
import type { Repository } from '../repository/repository.ts';
import { userInputError } from './user-input-error.ts';

/**
 * Loads pages of one list together. Of types whose values Postgres alone can tell, a stranger's may be none: then each page is
 * loaded by itself, so that nobody fails by another's fault.
 *
 * @param repository the listed entity's repository
 * @param list the list
 * @param requests the pages
 * @param scope the request's scope
 * @returns the pages, in order, an error for one whose cursor or filters no row can have
 * @throws what else the reading throws
 */
export async function loadPages(
  repository: Repository<Entity, string>,
  list: string,
  requests: readonly PageRequest[],
  scope: Scope,
): Promise<readonly (Page<Entity> | GraphQLError)[]> {
  try {
    return await repository.list(list, requests, scope);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    const [only, ...others] = requests;
    if (only !== undefined && others.length === 0) return [userInputError(error.field, error.message)];
    const apart = await Promise.all(requests.map((request) => loadPages(repository, list, [request], scope)));
    return apart.flat();
  }
}
