import { GraphQLError, type GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { LarderContext } from '../../repository/context.ts';
import type { Operation } from '../documents/operation.ts';
import { NotAsPlanned } from './leaf-text.ts';
import { splicePlan } from './object-plan.ts';
import { Output } from './output.ts';
import type { ObjectPlan } from './plan.ts';
import { type Asked, Found } from './resolve-fields.ts';
import { Writer } from './write-object.ts';

/** The most selections that are distinguished; equal ones share the texts of pages. */
const SELECTIONS = 512;

/** The answer to an operation, with its data already as JSON. */
export interface Spliced {
  /** The body up to the end of its data: `{"data":…`. */
  readonly written: Output;
  /** Absent when there are none. */
  readonly errors?: readonly GraphQLError[];
}

/**
 * Executes an operation and writes its answer, without a promise when memory has everything.
 *
 * @param context the resolvers' context
 * @param variables the coerced variables
 * @returns the answer; `null` when graphql-js must find the error: a required argument without a value, a null where a value is
 *   required, or a value that its type refuses. Such an operation only reads, so it may be executed again
 */
export type SplicedOperation = (
  context: LarderContext,
  variables: Record<string, unknown>,
) => Spliced | null | Promise<Spliced | null>;

/**
 * Makes the executor of operations that select only entities and lists of them. It writes their answers as text from the start.
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
    const isChain = asksInTurn(root);
    const execute = (context: LarderContext, variables: Record<string, unknown>): Spliced | Promise<Spliced> => {
      const args = fields.map(({ argumentsOf }) => argumentsOf.read(variables));
      // As mercurius has it.
      const rootValue = {};
      const asked: Asked = { schema, operation, fragments, context, rootValue, variables, arguments: args };
      const found = new Found(asked);
      context.scope.asksInTurn = isChain;
      const write = (): Spliced => {
        const written = new Output(size);
        written.text('{"data":');
        new Writer(found, written).object(root, rootValue);
        return { written, ...(found.errors.length > 0 ? { errors: found.errors } : {}) };
      };
      const wait = found.resolve(root, [rootValue], [undefined]);
      return wait instanceof Promise ? wait.then(write) : write();
    };
    return (context, variables) => {
      // Whether graphql-js must find the error. The answer has the errors of resolvers, so a GraphQLError here is that of an argument, before
      // anything was executed. graphql-js goes on with each entry of a list by itself.
      const nullIfElsewhere = (error: unknown): null => {
        if (!(error instanceof NotAsPlanned || error instanceof GraphQLError)) throw error;
        context.scope.asksInTurn = false;
        return null;
      };
      try {
        const answer = execute(context, variables);
        return answer instanceof Promise ? answer.catch(nullIfElsewhere) : answer;
      } catch (error) {
        return nullIfElsewhere(error);
      }
    };
  };
}

/** Whether no two fields are executed side by side. */
function asksInTurn({ executed }: ObjectPlan): boolean {
  return executed.length <= 1 && executed.every(({ inside }) => asksInTurn(inside));
}
