import { type GraphQLError, type GraphQLResolveInfo, type GraphQLSchema, locatedError } from 'graphql';
import type { Operation } from '../documents/operation.ts';
import { isThenable, NotAsPlanned } from './leaf-text.ts';
import type { ObjectPlan, Path, Property, Resolved, Source } from './plan.ts';

/** The parts of an execution that all fields share. */
export interface Asked {
  readonly schema: GraphQLSchema;
  readonly operation: Operation;
  readonly fragments: GraphQLResolveInfo['fragments'];
  readonly context: object;
  /** The parent of the root's fields. */
  readonly rootValue: Source;
  /** The coerced variables. */
  readonly variables: Record<string, unknown>;
  /** The arguments of the resolved fields, by their indexes. */
  readonly arguments: readonly Record<string, unknown>[];
}

/** The results of the resolvers of an operation. For each field, by its index, it has an object or null for each parent, in order. */
export class Found {
  readonly objects: (readonly (Source | null)[])[] = [];
  readonly errors: GraphQLError[] = [];
  readonly #asked: Asked;

  /** @param asked the parts that all fields share */
  constructor(asked: Asked) {
    this.#asked = asked;
  }

  /**
   * Executes the selection in some objects, level by level: each field of all of them, then the fields in it. There is no promise where
   * no resolver returns one, which is so when memory answers.
   *
   * @param plan the selection
   * @param sources the objects, in the order in which they are written
   * @param paths their places in the answer
   * @returns a promise if anything must be waited for
   * @throws {NotAsPlanned} when the data differs from the plan
   */
  resolve({ executed }: ObjectPlan, sources: readonly Source[], paths: readonly Path[]): undefined | Promise<unknown> {
    if (sources.length === 0) return undefined;
    let waits: Promise<unknown>[] | null = null;
    for (const field of executed) {
      let wait: undefined | Promise<unknown>;
      try {
        wait = this.#field(field, sources, paths);
      } catch (error) {
        // The fields before it go on. A failure of theirs that nobody heard of would end the process.
        if (waits === null) throw error;
        wait = Promise.reject(error);
      }
      if (wait instanceof Promise) waits = [...(waits ?? []), wait];
    }
    return waits === null || waits.length === 1 ? waits?.[0] : Promise.all(waits);
  }

  #field(field: Property | Resolved, sources: readonly Source[], paths: readonly Path[]): undefined | Promise<unknown> {
    if (field.kind === 'resolved') return this.#resolved(field, sources, paths);
    const objects: Source[] = [];
    const places: Path[] = [];
    for (const [i, source] of sources.entries()) {
      const path = { prev: paths[i], key: field.key, typename: field.parent.name };
      const inside = insideOf(field, source);
      if (!Array.isArray(inside)) {
        if (inside === null) continue;
        objects.push(inside as Source);
        places.push(path);
        continue;
      }
      for (const [key, item] of inside.entries()) {
        if (item == null) continue;
        objects.push(item);
        places.push({ prev: path, key, typename: undefined });
      }
    }
    return this.resolve(field.inside, objects, places);
  }

  #resolved(field: Resolved, sources: readonly Source[], parents: readonly Path[]): undefined | Promise<unknown> {
    const { key, parent } = field;
    const paths = parents.map((prev) => ({ prev, key, typename: parent.name }));
    const answers = sources.map((source, i) => this.#call(field, source, paths[i] as NonNullable<Path>));
    if (!answers.some(isThenable)) return this.#answered(field, answers, paths);
    // A failure is rare, and belongs to one of them.
    return Promise.all(answers)
      .catch(async () =>
        (await Promise.allSettled(answers)).map((each) =>
          each.status === 'fulfilled' ? each.value : new Failed(each.reason),
        ),
      )
      .then((values) => this.#answered(field, values, paths));
  }

  /** Goes on with the objects that a field has. */
  #answered(
    field: Resolved,
    values: readonly unknown[],
    paths: readonly NonNullable<Path>[],
  ): undefined | Promise<unknown> {
    const { place, inside } = field;
    const objects = values.map((value, i) => this.#complete(value, field, paths[i] as NonNullable<Path>));
    this.objects[place] = objects;
    if (inside.executed.length === 0) return undefined;
    const there = objects.flatMap((object, i) => (object === null ? [] : [i]));
    return this.resolve(
      inside,
      there.map((i) => objects[i] as Source),
      there.map((i) => paths[i]),
    );
  }

  #call({ selected, parent, place, argumentsOf }: Resolved, source: Source, path: NonNullable<Path>): unknown {
    const { schema, operation, fragments, context, rootValue, variables } = this.#asked;
    const { field, nodes } = selected;
    const info: GraphQLResolveInfo = {
      fieldName: field.name,
      fieldNodes: nodes,
      returnType: field.type,
      parentType: parent,
      path,
      schema,
      fragments,
      rootValue,
      operation: operation.definition,
      variableValues: variables,
    };
    try {
      const args = argumentsOf.isForEachCall ? argumentsOf.read(variables) : { ...this.#asked.arguments[place] };
      return field.resolve?.(source, args, context, info);
    } catch (error) {
      return new Failed(error);
    }
  }

  #complete(value: unknown, { selected }: Resolved, path: NonNullable<Path>): Source | null {
    if (value == null) return null;
    if (!(value instanceof Failed || value instanceof Error)) return value as Source;
    const reason = value instanceof Failed ? value.reason : value;
    this.errors.push(locatedError(reason, selected.nodes, pathKeys(path)));
    return null;
  }
}

/** The error of a resolver. */
class Failed {
  readonly reason: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}

/**
 * @param field an object, or a list of objects, in a property of an object
 * @param source the object
 * @returns the property's value; `null` for none
 * @throws {NotAsPlanned} when the value is an error or a promise
 */
export function insideOf(
  { name, isNullable, hasNulls }: Property,
  source: Source,
): Source | readonly (Source | null)[] | null {
  const inside = source[name] ?? null;
  if (inside === null && isNullable) return null;
  if (!isObject(inside) || Array.isArray(inside) !== (hasNulls !== null)) throw new NotAsPlanned();
  if (!Array.isArray(inside)) return inside;
  for (const item of inside) if (!isObject(item) && !(item == null && hasNulls)) throw new NotAsPlanned();
  return inside as readonly (Source | null)[];
}

function isObject(value: unknown): value is Source {
  return typeof value === 'object' && value !== null && !isThenable(value) && !(value instanceof Error);
}

function pathKeys(path: Path): (string | number)[] {
  const keys: (string | number)[] = [];
  for (let place = path; place !== undefined; place = place.prev) keys.unshift(place.key);
  return keys;
}
