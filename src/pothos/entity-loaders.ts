import type { ContextCache } from '@pothos/core';
import DataLoader from 'dataloader';
import type { Entity } from '../repository/entity-definition.ts';
import type { LarderContext } from './context.ts';
import { atEndOfTurn } from './end-of-turn.ts';

/** The request's identity map remembers, and knows of writes; the loader only batches. */
const OPTIONS = { cache: false, batchScheduleFn: atEndOfTurn };

/** Spans know their request by the context that a callback is called in, and what is called together is called in that of the first. */
const OWN = { cache: false, batchScheduleFn: (send: () => void) => void setImmediate(send) };

/**
 * Batches the entities of a type that a request asks for in one turn, in place of the loaders that Pothos would keep in a WeakMap
 * by context. That cost a fifth of the CPU time of an entity by id (see LarderContext).
 *
 * @param name the type's name
 * @param load loads entities by their ids, in order
 * @returns the loader of each request
 */
export function entityLoaders<E extends Entity>(
  name: string,
  load: (ids: readonly string[], context: LarderContext) => Promise<E[]>,
): ContextCache<DataLoader<string, Exclude<E, Error>>, object, []> {
  // Pothos knows no more of the context than that it is an object.
  const loaderOf = (context: object) => {
    const { entityLoaders: loaders, scope } = context as LarderContext;
    let loader = loaders.get(name);
    if (loader === undefined) {
      const options = scope.trace.ownStatements ? OWN : OPTIONS;
      loader = new DataLoader((ids: readonly string[]) => load(ids, context as LarderContext), options);
      loaders.set(name, loader);
    }
    // A type's entities are of one kind, and the type is the loader's name.
    return loader as DataLoader<string, Exclude<E, Error>>;
  };
  const forget = (context: object) => void (context as LarderContext).entityLoaders.delete(name);
  return Object.assign(loaderOf, { delete: forget });
}
