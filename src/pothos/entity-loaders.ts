import type { ContextCache } from '@pothos/core';
import DataLoader from 'dataloader';
import type { Entity } from '../entity/definition.ts';
import type { LarderContext } from '../repository/context.ts';
import { atEndOfTurn } from './end-of-turn.ts';

/** The request's identity map remembers, and knows of writes; the loader only batches. */
const OPTIONS = { cache: false, batchScheduleFn: atEndOfTurn };

/** Spans know their request by the context that a callback is called in, and what is called together is called in that of the first. */
const OWN = { cache: false, batchScheduleFn: (send: () => void) => void setImmediate(send) };

/**
 * Batches the entities of a type that a request asks for in one turn, in place of the loaders that Pothos would keep in a WeakMap
 * by context (see Context).
 *
 * @param load loads entities by their ids, in order
 * @returns the loader of each request
 */
export function entityLoaders<E extends Entity>(
  load: (ids: readonly string[], context: LarderContext) => Promise<E[]>,
): ContextCache<DataLoader<string, Exclude<E, Error>>, object, []> {
  // Pothos knows no more of the context than that it is an object. What is collected under `load` is its loader.
  const loaderOf = (context: object) => {
    const { collected, scope } = context as LarderContext;
    let loader = collected.get(load) as DataLoader<string, Exclude<E, Error>> | undefined;
    if (loader === undefined) {
      const options = scope.trace.ownStatements ? OWN : OPTIONS;
      const batch = (ids: readonly string[]) => load(ids, context as LarderContext);
      loader = new DataLoader(batch as (ids: readonly string[]) => Promise<Exclude<E, Error>[]>, options);
      collected.set(load, loader);
    }
    return loader;
  };
  const forget = (context: object) => void (context as LarderContext).collected.delete(load);
  return Object.assign(loaderOf, { delete: forget });
}
