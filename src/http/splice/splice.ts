import type { GraphQLError, GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Operation } from '../documents/operation.ts';
import { splicePlan } from './object-plan.ts';
import { type Asked, Found } from './resolve-fields.ts';
import { Output } from './output.ts';
import { Writer } from './write-object.ts';

/** How many selections are told apart, at most, which share what is kept of pages. */
const SELECTIONS = 512;

/** The answer to an operation whose data is JSON already. */
export interface Spliced {
  /** The body as far as its data goes: `{"data":…`, without the end. */
  readonly written: Output;
  /** Absent when there are none. */
  readonly errors?: readonly GraphQLError[];
}

/**
 * Executes an operation and writes its answer.
 *
 * @param context what resolvers get as their context
 * @param variables the coerced variables
 * @returns the answer; `null` when graphql-js must find out what is wrong: an argument without the value that it needs, or a null where
 *   there must be a value. An operation that is executed so only reads, and may be executed again.
 */
export type SplicedOperation = (context: object, variables: Record<string, unknown>) => Promise<Spliced | null>;

/**
 * Makes the executor of operations that ask for nothing but entities and lists of them. What it answers is text from the start.
 *
 * @param schema the schema that operations are valid against
 * @returns plans an operation that is already cut to its conditions; `null` for one that must be executed in another way
 */
export function createSplicer(schema: GraphQLSchema): (operation: Operation) => SplicedOperation | null {
  const selections = new LRUCache<string, object>({ max: SELECTIONS });
  const same = (text: string) => {
    const known = selections.get(text) ?? {};
    selections.set(text, known);
    return known;
  };
  return (operation) => {
    const plan = splicePlan(schema, operation, same);
    if (plan === null) return null;
    const { root, fields } = plan;
    const size = { last: 0 };
    const fragments = Object.fromEntries(operation.fragments.map((fragment) => [fragment.name.value, fragment]));
    const execute = async (context: object, variables: Record<string, unknown>): Promise<Spliced> => {
      const args = fields.map(({ argumentsOf }) => argumentsOf(variables));
      const asked: Asked = { schema, operation, fragments, context, variables, arguments: args };
      const found = new Found(asked);
      await found.resolve(root, [ROOT], [undefined]);
      const written = new Output(size);
      written.text('{"data":');
      new Writer(found, written).object(root, ROOT);
      return { written, ...(found.errors.length > 0 ? { errors: found.errors } : {}) };
    };
    // What resolvers throw is in the answer. All else, as a value that cannot be written, is told best by graphql-js, which meets it, too.
    return (context, variables) => execute(context, variables).catch(() => null);
  };
}

/** What resolvers of the root get as their parent's object, which there is none of. */
const ROOT = undefined as never;
