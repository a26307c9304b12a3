import { complexityFromQuery } from '@pothos/plugin-complexity';
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** An operation with the fragments of its document. */
export interface Operation {
  readonly definition: OperationDefinitionNode;
  readonly fragments: readonly FragmentDefinitionNode[];
}

/**
 * The static cost of an operation: a point for each field, those of a connection's entries times its page size.
 *
 * @param schema the schema that the operation is valid against
 * @param operation the operation
 * @param variables the client's variables, which fit the operation's
 * @returns the cost in points
 */
export function costOf(
  schema: GraphQLSchema,
  { definition, fragments }: Operation,
  variables: Readonly<Record<string, unknown>>,
): number {
  const document: DocumentNode = { kind: Kind.DOCUMENT, definitions: [definition, ...fragments] };
  return complexityFromQuery(document, { schema, variables }).complexity;
}

/**
 * Follows the most expensive field, then the most expensive one in it, as long as it makes up most of the cost.
 *
 * @param schema the schema
 * @param operation an operation that costs too much
 * @param variables the client's variables
 * @returns the response names of the fields on the way, such as `['campaigns', 'events']`
 */
export function mostExpensivePath(
  schema: GraphQLSchema,
  operation: Operation,
  variables: Readonly<Record<string, unknown>>,
): string[] {
  const path: FieldNode[] = [];
  /** The operation with nothing but one field selected at the end of the path. */
  const only = (field: FieldNode): number => {
    const selectionSet = [...path, field].reduceRight<SelectionSetNode>(
      (inner, node, i) => ({
        kind: Kind.SELECTION_SET,
        selections: [i === path.length ? node : { ...node, selectionSet: inner }],
      }),
      { kind: Kind.SELECTION_SET, selections: [] },
    );
    return costOf(schema, { ...operation, definition: { ...operation.definition, selectionSet } }, variables);
  };
  let set: SelectionSetNode | undefined = operation.definition.selectionSet;
  while (set !== undefined) {
    let total = 0;
    let most: { field: FieldNode; cost: number } | null = null;
    for (const field of fieldsOf(operation, set)) {
      const cost = only(field);
      total += cost;
      if (most === null || cost > most.cost) most = { field, cost };
    }
    if (most === null || (path.length > 0 && most.cost * 2 < total)) break;
    path.push(most.field);
    set = most.field.selectionSet;
  }
  // The last steps down to a leaf name no list whose page could be made smaller.
  while (path.at(-1)?.selectionSet === undefined && path.length > 1) path.pop();
  return path
    .map((field) => field.alias?.value ?? field.name.value)
    .filter((name) => name !== 'nodes' && name !== 'edges' && name !== 'node');
}

/** The fields of a selection, those of its fragments among them, each fragment once. */
function fieldsOf({ fragments }: Operation, set: SelectionSetNode): FieldNode[] {
  const seen = new Set<string>();
  const collect = (inner: SelectionSetNode): FieldNode[] =>
    inner.selections.flatMap((node) => {
      if (node.kind === Kind.FIELD) return [node];
      if (node.kind === Kind.INLINE_FRAGMENT) return collect(node.selectionSet);
      if (seen.has(node.name.value)) return [];
      seen.add(node.name.value);
      const fragment = fragments.find((known) => known.name.value === node.name.value);
      return fragment === undefined ? [] : collect(fragment.selectionSet);
    });
  return collect(set);
}
