import {
  type FieldNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { pageSizeOf } from '../pothos/page-size.ts';
import type { Operation } from './cost.ts';

/** The most nodes that one operation may ask for. */
export const MAX_NODES = 500_000;

/**
 * How many nodes an operation may at most bring: the product of the page sizes on the way to each, added up.
 *
 * @param schema the schema that the operation is valid against
 * @param operation the operation
 * @param variables the coerced variables
 * @returns the number of nodes
 */
export function nodeCount(schema: GraphQLSchema, operation: Operation, variables: Record<string, unknown>): number {
  const fragments = new Map(operation.fragments.map((fragment) => [fragment.name.value, fragment]));
  const counts = new Map<SelectionSetNode, number>();

  const countSet = (set: SelectionSetNode, type: GraphQLNamedType): number => {
    const known = counts.get(set);
    if (known !== undefined) return known;
    let nodes = 0;
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) nodes += countField(node, type);
      else {
        const inner = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
        const condition = inner?.typeCondition && schema.getType(inner.typeCondition.name.value);
        if (inner !== undefined) nodes += countSet(inner.selectionSet, condition ?? type);
      }
    }
    counts.set(set, nodes);
    return nodes;
  };

  const countField = (node: FieldNode, parent: GraphQLNamedType): number => {
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
    if (field === undefined || node.selectionSet === undefined) return 0;
    const type = getNamedType(field.type);
    const inner = countSet(node.selectionSet, type);
    if (!isObjectType(type) || type.getFields().pageInfo === undefined) return inner;
    return pageSizeOf(getArgumentValues(field, node, variables)) * (1 + inner);
  };

  const root = schema.getRootType(operation.definition.operation);
  return root == null ? 0 : countSet(operation.definition.selectionSet, root);
}
