import type DataLoader from 'dataloader';
import type { FieldNode } from 'graphql';
import type { Entity } from '../repository/entity-definition.ts';
import type { PageNeeds } from '../repository/page.ts';
import type { Scope } from '../repository/scope.ts';
import type { PageBatch } from './page-loader.ts';

/**
 * What every resolver gets: the repositories, and what belongs to this request. What it collects is kept here and not in a
 * WeakMap by context: of such a map that has grown old, V8 keeps every value until the next full collection, and with a
 * request's loader all of the request.
 */
export interface LarderContext<R = unknown> {
  /** A repository for each entity, by the entity's name. */
  readonly repositories: R;
  readonly scope: Scope;
  /** The pages of each list that are about to be asked for, by the list's name. */
  readonly pageBatches: Map<string, PageBatch>;
  /** What batches the entities of each type, by the type's name. */
  readonly entityLoaders: Map<string, DataLoader<string, Entity>>;
  /** What is selected of pages, by the nodes of their field. */
  readonly pageNeeds: Map<readonly FieldNode[], PageNeeds>;
}

/** The context of a request. Most collect less than they could, so that each map is made for its first entry. */
export class Context<R = unknown> implements LarderContext<R> {
  readonly repositories: R;
  readonly scope: Scope;
  #pageBatches: LarderContext['pageBatches'] | null = null;
  #entityLoaders: LarderContext['entityLoaders'] | null = null;
  #pageNeeds: LarderContext['pageNeeds'] | null = null;

  /**
   * @param repositories the repositories
   * @param scope what belongs to the request
   */
  constructor(repositories: R, scope: Scope) {
    this.repositories = repositories;
    this.scope = scope;
  }

  get pageBatches(): LarderContext['pageBatches'] {
    this.#pageBatches ??= new Map();
    return this.#pageBatches;
  }

  get entityLoaders(): LarderContext['entityLoaders'] {
    this.#entityLoaders ??= new Map();
    return this.#entityLoaders;
  }

  get pageNeeds(): LarderContext['pageNeeds'] {
    this.#pageNeeds ??= new Map();
    return this.#pageNeeds;
  }
}
