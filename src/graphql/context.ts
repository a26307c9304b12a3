import type { Repositories } from '../domain/repositories.ts';
import type { Scope } from '../repository/scope.ts';

/** What every resolver gets: the domain, and what belongs to this request. */
export interface GraphQLContext {
  readonly repositories: Repositories;
  readonly scope: Scope;
}
