import type DataLoader from 'dataloader';
import type { FieldNode } from 'graphql';
import type { Repositories } from '../domain/repositories.ts';
import type { Entity } from '../repository/entity-definition.ts';
import type { PageNeeds } from '../repository/page.ts';
import type { Scope } from '../repository/scope.ts';
import type { PageBatch } from './page-loader.ts';

/**
 * What every resolver gets: the domain, and what belongs to this request. What it collects is kept here and not in a
 * WeakMap by context: of such a map that has grown old, V8 keeps every value until the next full collection, and with a
 * request's loader all of the request.
 */
export interface GraphQLContext {
  readonly repositories: Repositories;
  readonly scope: Scope;
  /** The pages of each list that are about to be asked for, by the list's name. */
  readonly pageBatches: Map<string, PageBatch>;
  /** What batches the entities of each type, by the type's name. */
  readonly entityLoaders: Map<string, DataLoader<string, Entity>>;
  /** What is selected of pages, by the nodes of their field. */
  readonly pageNeeds: Map<readonly FieldNode[], PageNeeds>;
}

/** The context of a request. Most collect less than they could, so that each map is made for its first entry. */
export class Context implements GraphQLContext {
  readonly repositories: Repositories;
  readonly scope: Scope;
  #pageBatches: GraphQLContext['pageBatches'] | null = null;
  #entityLoaders: GraphQLContext['entityLoaders'] | null = null;
  #pageNeeds: GraphQLContext['pageNeeds'] | null = null;

  /**
   * @param repositories the domain
   * @param scope what belongs to the request
   */
  constructor(repositories: Repositories, scope: Scope) {
    this.repositories = repositories;
    this.scope = scope;
  }

  get pageBatches(): GraphQLContext['pageBatches'] {
    this.#pageBatches ??= new Map();
    return this.#pageBatches;
  }

  get entityLoaders(): GraphQLContext['entityLoaders'] {
    this.#entityLoaders ??= new Map();
    return this.#entityLoaders;
  }

  get pageNeeds(): GraphQLContext['pageNeeds'] {
    this.#pageNeeds ??= new Map();
    return this.#pageNeeds;
  }
}
