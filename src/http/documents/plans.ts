import { type DocumentNode, GraphQLError, Kind } from 'graphql';
import { LRUCache } from 'lru-cache';
import { RequestRefused } from '../errors/request-refused.ts';
import { cut } from './cut.ts';
import type { Operation } from './operation.ts';
import type { PreparedOperation } from './prepare-document.ts';

/** An operation as its conditions leave it, which is priced and run. */
export interface Plan extends Operation {
  /** A document with this operation alone. */
  readonly document: DocumentNode;
  /** Whether it was cut. Then a selection may be empty, which validation does not allow. */
  readonly isCut: boolean;
  /** Whether it may be planned how its answer is written, once it has come often enough. */
  mayBeSpliced: boolean;
  /** How often it has come. */
  runs: number;
}

/** How many cuts of one operation are remembered: the combinations of four flags. A client could ask for those of twenty. */
const CUTS_OF_ONE = 16;

/** How many cuts are remembered in all. */
const CUTS = 512;

/**
 * Cuts operations to the values of their conditions. A cut is remembered, and so is planned in time. The cuts of a large operation, or of
 * one with many cuts, are made anew for each request.
 *
 * @returns gives the plan of an operation with coerced variables; throws a GraphQLError when a condition is null
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

function newPlan({ definition, fragments }: Operation, isCut: boolean, mayBeSpliced: boolean): Plan {
  const document = { kind: Kind.DOCUMENT, definitions: [definition, ...fragments] } as const;
  return { definition, fragments, document, isCut, mayBeSpliced, runs: 0 };
}

/** The text of a condition's value, as part of the key of a cut. */
function flag(value: unknown): string {
  return value === true ? '1' : value === false ? '0' : '-';
}

/**
 * Runs code that reads arguments before the execution. A required argument without a value is the client's error.
 *
 * @param work reads arguments
 * @returns what `work` returns
 * @throws {RequestRefused} BAD_USER_INPUT in place of a GraphQLError
 */
export function withArguments<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    throw new RequestRefused(400, 'BAD_USER_INPUT', error.message, { wellFormed: true });
  }
}
