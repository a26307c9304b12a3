import type { GraphQLSchema } from 'graphql';
import { LimitExceeded } from '../documents/limits.ts';
import type { Plan } from '../documents/plans.ts';
import { limitExceeded } from '../documents/prepare-document.ts';
import { type SelectedObject, selectedIn } from '../documents/selected.ts';
import type { Variables } from '../documents/variables.ts';
import { RequestRefused } from '../errors/request-refused.ts';
import { price } from './cost.ts';
import { mostExpensiveField } from './expensive-field.ts';

/** The most nodes that one operation may ask for, whatever they cost. */
const MAX_NODES = 500_000;

/** The last cost of an operation, with the kind of its variables. One entry is enough, since clients seldom change page sizes. */
const known = new WeakMap<Plan, Known>();

interface Known {
  readonly kind: string;
  readonly cost: number;
  /** Whether texts are a part of the kind. */
  readonly readsTexts: boolean;
}

/** The longest kind that is remembered, in characters. Otherwise a client could fill the memory. */
const MAX_KIND = 200;

/**
 * Refuses an operation that costs too much, before any of it is executed.
 *
 * @param schema the schema
 * @param plan the operation
 * @param variables the client's variables
 * @param maxCost how many points a request may cost
 * @returns the cost in points
 * @throws {RequestRefused} COST_LIMIT, with the path of the field that should be smaller; NODE_LIMIT; DOCUMENT_TOO_LARGE
 * @throws {GraphQLError} when a variable leaves an argument without a required value
 */
export function checkCost(schema: GraphQLSchema, plan: Plan, variables: Variables, maxCost: number): number {
  const last = known.get(plan);
  if (last !== undefined && last.kind === kindOf(plan, variables, last.readsTexts)) return last.cost;
  const { cost, readsTexts } = checkOperation(schema, plan, variables, maxCost);
  const kind = kindOf(plan, variables, readsTexts);
  if (kind.length <= MAX_KIND) known.set(plan, { kind, cost, readsTexts });
  return cost;
}

/**
 * The part of the variables that a cost can depend on: numbers, flags, lengths of lists and nulls, and texts where an application counts the
 * entries of a list. It ignores variables that the operation does not declare.
 */
function kindOf({ definition }: Plan, { given }: Variables, readsTexts: boolean): string {
  let kind = '';
  for (const { variable } of definition.variableDefinitions ?? []) {
    const value = given[variable.name.value];
    if (readsTexts) kind += `${JSON.stringify(value)},`;
    else kind += typeof value === 'string' ? '"",' : `${JSON.stringify(value, withoutText)},`;
  }
  return kind;
}

function withoutText(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? '' : value;
}

function checkOperation(
  schema: GraphQLSchema,
  plan: Plan,
  variables: Variables,
  maxCost: number,
): Pick<Known, 'cost' | 'readsTexts'> {
  const { cost: points, nodes, fields, readsTexts } = price(selectionOf(schema, plan), variables.coerced);
  // Everything costs at least a point, so a rate in points bounds everything.
  const cost = Math.max(points, 1);
  if (cost > maxCost) {
    const { path, argument } = mostExpensiveField(fields);
    const advice = argument === null ? `Select less in ${path.join('.')}` : `Lower ${argument} of ${path.join('.')}`;
    const message = `This costs ${cost} points, and at most ${maxCost} are allowed. ${advice}, or of what it is in.`;
    throw new RequestRefused(400, 'COST_LIMIT', message, {
      wellFormed: true,
      extensions: { cost, limit: maxCost, path, argument },
    });
  }
  if (nodes > MAX_NODES) {
    const message = `This may bring ${nodes} nodes, and at most ${MAX_NODES} are allowed. Lower first or last.`;
    throw new RequestRefused(400, 'NODE_LIMIT', message, { wellFormed: true, extensions: { nodes, limit: MAX_NODES } });
  }
  return { cost, readsTexts };
}

function selectionOf(schema: GraphQLSchema, plan: Plan): SelectedObject {
  try {
    return selectedIn(schema, plan);
  } catch (error) {
    throw error instanceof LimitExceeded ? limitExceeded(error) : error;
  }
}
