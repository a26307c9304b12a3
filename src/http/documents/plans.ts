import { type DocumentNode, GraphQLError, Kind } from 'graphql';
import { LRUCache } from 'lru-cache';
import { RequestRefused } from '../errors/request-refused.ts';
import { cut } from './cut.ts';
import type { Operation } from './operation.ts';
import type { PreparedOperation } from './prepare-document.ts';

/** What is priced and what is run: an operation as its conditions leave it. */
export interface Plan extends Operation {
  /** A document with this operation alone. */
  readonly document: DocumentNode;
  /** Whether it was cut: then a selection may be empty, which a document that is validated may not have. */
  readonly isCut: boolean;
  /** Whether it may be compiled when it has come often enough. */
  isCompilable: boolean;
  /** How often it has come. */
  runs: number;
}

/** Cuts of one operation that are remembered. Of four flags there are so many; a client could ask for those of twenty. */
const CUTS_OF_ONE = 16;

/** Cuts that are remembered in all. */
const CUTS = 512;

/**
 * Cuts operations to the values of their conditions. A cut is remembered, and so compiled in time, unless its operation is large or has
 * had many others: those are cut again for each request.
 *
 * @returns the plan of an operation with coerced variables, which throws a GraphQLError when a condition is null
 */
export function createPlans() {
  const whole = new WeakMap<PreparedOperation, Plan>();
  const keys = new WeakMap<PreparedOperation, Map<string, object>>();
  const cuts = new LRUCache<object, Plan>({ max: CUTS });

  const cutPlan = (operation: PreparedOperation, values: string, variables: Record<string, unknown>): Plan => {
    let known = keys.get(operation);
    if (known === undefined) {
      known = new Map();
      keys.set(operation, known);
    }
    let key = known.get(values);
    let plan = key === undefined ? undefined : cuts.get(key);
    if (plan !== undefined) return plan;
    const remembered = !operation.isLarge && (key !== undefined || known.size < CUTS_OF_ONE);
    plan = newPlan(cut(operation, variables), true, remembered && !operation.introspects);
    if (remembered) {
      key ??= {};
      known.set(values, key);
      cuts.set(key, plan);
    }
    return plan;
  };

  return (operation: PreparedOperation, variables: Record<string, unknown>): Plan => {
    const { conditions, isLarge, introspects } = operation;
    if (conditions !== null)
      return cutPlan(operation, conditions.map((name) => flag(variables[name])).join(), variables);
    let plan = whole.get(operation);
    if (plan === undefined) {
      plan = newPlan(operation, false, !isLarge && !introspects);
      whole.set(operation, plan);
    }
    return plan;
  };
}

function newPlan({ definition, fragments }: Operation, isCut: boolean, isCompilable: boolean): Plan {
  const document = { kind: Kind.DOCUMENT, definitions: [definition, ...fragments] } as const;
  return { definition, fragments, document, isCut, isCompilable, runs: 0 };
}

/** A condition's value, as part of what a cut is known by. */
function flag(value: unknown): string {
  return value === true ? '1' : value === false ? '0' : '-';
}

/**
 * Does what reads arguments before anything is executed. One that is left without the value that it needs is its sender's mistake.
 *
 * @param work reads arguments
 * @returns what it returns
 * @throws {RequestRefused} BAD_USER_INPUT in the place of a GraphQLError
 */
export function withArguments<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    throw new RequestRefused(400, 'BAD_USER_INPUT', error.message, { wellFormed: true });
  }
}
