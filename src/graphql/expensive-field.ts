import {
  type FieldNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { Operation } from './cost.ts';

/** The field to make smaller in an operation that costs too much. */
export interface ExpensiveField {
  /** The response names on the way to it, as in an error's path, without the indexes of lists. */
  readonly path: readonly string[];
  /** The argument that its cost depends on; `null` for a field that is no list: then less should be selected. */
  readonly argument: string | null;
}

/** A field as it stands in an operation, with what hangs on it. */
interface Costed {
  readonly node: FieldNode;
  readonly cost: number;
  /** How often what is selected in it counts; `null` for a field that multiplies nothing. */
  readonly multiplier: number | null;
  readonly argument: string | null;
  readonly inside: readonly Costed[];
}

/**
 * Follows the most expensive field, then the most expensive one in it, as long as it makes up at least half. Each
 * selection is looked at once, so that finding out takes no longer than the cost itself did.
 *
 * @param schema the schema that the operation is valid against
 * @param operation the operation
 * @param variables the coerced variables
 * @returns the last list on the way
 */
export function mostExpensiveField(
  schema: GraphQLSchema,
  operation: Operation,
  variables: Record<string, unknown>,
): ExpensiveField {
  const fragments = new Map(operation.fragments.map((fragment) => [fragment.name.value, fragment]));
  const known = new Map<SelectionSetNode, Costed[]>();

  const costsOf = (set: SelectionSetNode, type: GraphQLNamedType): Costed[] => {
    let costs = known.get(set);
    if (costs !== undefined) return costs;
    costs = set.selections.flatMap((node) => {
      if (node.kind === Kind.FIELD) return [costed(node, type)];
      const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
      const condition = fragment?.typeCondition && schema.getType(fragment.typeCondition.name.value);
      return fragment === undefined ? [] : costsOf(fragment.selectionSet, condition ?? type);
    });
    known.set(set, costs);
    return costs;
  };

  const costed = (node: FieldNode, parent: GraphQLNamedType): Costed => {
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
    if (field === undefined) return { node, cost: 1, multiplier: null, argument: null, inside: [] };
    const { points, multiplier, argument } = weightOf(field, node, variables);
    const inside = node.selectionSet === undefined ? [] : costsOf(node.selectionSet, getNamedType(field.type));
    const cost = points + total(inside) * (multiplier ?? 1);
    return { node, cost, multiplier, argument, inside };
  };

  const root = schema.getRootType(operation.definition.operation);
  const path: Costed[] = [];
  let level = root == null ? [] : costsOf(operation.definition.selectionSet, root);
  while (level.length > 0) {
    const most = level.reduce((a, b) => (b.cost > a.cost ? b : a));
    if (path.length > 0 && most.cost * 2 < total(level)) break;
    path.push(most);
    level = [...most.inside];
  }
  // The last steps down to a leaf name no list whose page could be made smaller.
  while (path.length > 1 && path.at(-1)?.multiplier === null) path.pop();
  return {
    path: path.map(({ node }) => node.alias?.value ?? node.name.value),
    argument: path.at(-1)?.argument ?? null,
  };
}

function total(fields: readonly Costed[]): number {
  return fields.reduce((sum, { cost }) => sum + cost, 0);
}

/** Reads what the schema says of a field's cost, as the complexity plugin does. */
function weightOf(field: GraphQLField<unknown, unknown>, node: FieldNode, variables: Record<string, unknown>) {
  const declared: unknown = field.extensions.complexity;
  if (typeof declared !== 'function') return { points: 1, multiplier: null, argument: null };
  const args = getArgumentValues(field, node, variables);
  const { field: points, multiplier } = declared(args) as { field: number; multiplier: number };
  return { points, multiplier, argument: sizeOf(field, args) };
}

/** The argument that says how many entries a list has. Of a page that is a number, of other lists a list itself. */
function sizeOf(field: GraphQLField<unknown, unknown>, args: Record<string, unknown>): string | null {
  const pages = ['first', 'last'].filter((name) => field.args.some((argument) => argument.name === name));
  const lists = Object.keys(args).filter((name) => Array.isArray(args[name]));
  return pages.find((name) => typeof args[name] === 'number') ?? pages[0] ?? lists[0] ?? null;
}
