import {
  type FieldNode,
  GraphQLIncludeDirective,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getDirectiveValues,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

/** What of the resolver's info is needed to follow fragments and variables. */
type Info = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments' | 'variableValues'>;

/** A field's subfields, each with every node that selects it. */
export type Selection = ReadonlyMap<string, readonly FieldNode[]>;

/**
 * Which subfields of the field being resolved are selected, through fragments, with `@skip` and `@include` applied
 * (GraphQL specification, section 6.3.2). A fragment's type condition is taken to hold.
 *
 * @param info the resolver's info
 * @param nodes the nodes to look under; those of the field being resolved when absent
 * @returns the subfields by name, aliases resolved
 */
export function selectionOf(info: Info, nodes: readonly FieldNode[] = info.fieldNodes): Selection {
  const selection = new Map<string, FieldNode[]>();
  for (const node of nodes) collect(info, node.selectionSet, selection);
  return selection;
}

/**
 * Whether entities must be read to answer for them: their global ids and type names follow from the list alone.
 *
 * @param selection the subfields of an entity
 * @returns whether any other field is selected
 */
export function needsBody(selection: Selection): boolean {
  for (const field of selection.keys()) if (field !== 'id' && field !== '__typename') return true;
  return false;
}

function collect(info: Info, set: SelectionSetNode | undefined, into: Map<string, FieldNode[]>): void {
  for (const node of set?.selections ?? []) {
    if (!isIncluded(info, node)) continue;
    if (node.kind === Kind.FIELD) {
      const nodes = into.get(node.name.value);
      if (nodes === undefined) into.set(node.name.value, [node]);
      else nodes.push(node);
    } else if (node.kind === Kind.INLINE_FRAGMENT) collect(info, node.selectionSet, into);
    else collect(info, info.fragments[node.name.value]?.selectionSet, into);
  }
}

function isIncluded({ variableValues }: Info, node: SelectionNode): boolean {
  if (node.directives === undefined || node.directives.length === 0) return true;
  return (
    getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.if !== true &&
    getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.if !== false
  );
}
