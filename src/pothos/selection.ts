import {
  type FieldNode,
  type GraphQLField,
  GraphQLIncludeDirective,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getDirectiveValues,
  isAbstractType,
  isObjectType,
  Kind,
  type NamedTypeNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { LarderContext } from '../repository/context.ts';

/** The parts of the resolver's info that fragments and variables need. */
type Info = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments' | 'variableValues' | 'schema'>;

/** A field's subfields, each with every node that selects it. */
export type Selection = ReadonlyMap<string, readonly FieldNode[]>;

/**
 * Finds the selected subfields of the field that is resolved: through fragments, with `@skip` and `@include` applied (GraphQL
 * specification, section 6.3.2).
 *
 * @param info the resolver's info
 * @param nodes the nodes to look under; those of the resolved field when it is left out
 * @param type the type of the object, which tells whether a fragment's type condition holds; each is assumed to hold when it is left out
 * @returns the subfields by name, without aliases
 */
export function selectionOf(
  info: Info,
  nodes: readonly FieldNode[] = info.fieldNodes,
  type?: GraphQLObjectType,
): Selection {
  const selection = new Map<string, FieldNode[]>();
  for (const node of nodes) collect(info, type, node.selectionSet, selection);
  return selection;
}

/** The extensions of a field that needs only an entity's id, such as a connection. No body is read for it. */
export const FROM_ID = { fromId: true };

/** The extensions of a type whose objects are always read, and of a field whose parent is. */
export const READ = { isRead: true };

/** The extensions of a type of which each field keeps its resolver, which checks scopes, and of a field that does so. */
export const KEPT = { isKept: true };

/**
 * Tells whether bodies of entities must be read. A list gives their ids, from which connections and other fields follow.
 *
 * @param info the resolver's info
 * @param typename the entities' type
 * @param selection the subfields of the entities
 * @returns whether a field is selected that needs more than the id
 */
export function needsBody(
  { schema }: Pick<GraphQLResolveInfo, 'schema'>,
  typename: string,
  selection: Selection,
): boolean {
  return needsWhole(schema.getType(typename), selection, (_name, field) => field?.extensions.fromId === true);
}

/**
 * Tells whether an object must be whole: something is selected that may look at all of it.
 *
 * @param type the object's type
 * @param selection its subfields
 * @param isPart tells of a field whether it looks at a part of the object that is there anyway
 * @returns whether another field is selected, or one that another plugin has options for
 */
export function needsWhole(
  type: GraphQLNamedType | undefined,
  selection: Selection,
  isPart: (name: string, field: GraphQLField<unknown, unknown> | undefined) => boolean,
): boolean {
  if (!isObjectType(type)) return selection.size > 0;
  const fields = type.getFields();
  if (isAlwaysRead(type) && selection.size > 0) return true;
  for (const name of selection.keys()) {
    const field = fields[name];
    if (name !== '__typename' && (field?.extensions.isRead === true || !isPart(name, field))) return true;
  }
  return false;
}

/**
 * @param type a type of objects
 * @returns whether it or one of its interfaces has options of another plugin, which may look into the objects
 */
export function isAlwaysRead(type: GraphQLObjectType): boolean {
  return [type, ...type.getInterfaces()].some(({ extensions }) => extensions.isRead === true);
}

/** What was found in nodes that are executed again and again. */
const found = new WeakMap<readonly FieldNode[], { answer?: unknown }>();

/** @param nodes the nodes of a field, the same array each time that it is executed, without `@skip` and `@include` in them */
export function isExecutedAgain(nodes: readonly FieldNode[]): void {
  found.set(nodes, {});
}

/**
 * Examines what a field selects. Nodes that are executed again and again are examined once. Others are examined once in a request, since a
 * field's nodes are the same array for each of its parents.
 *
 * @param info the resolver's info
 * @param context the request's context
 * @param look examines the selection
 * @returns what it found
 */
export function lookOnce<T>({ fieldNodes }: Info, { collected }: LarderContext, look: () => T): T {
  let kept = found.get(fieldNodes) ?? (collected.get(fieldNodes) as { answer?: unknown } | undefined);
  if (kept === undefined) {
    kept = {};
    collected.set(fieldNodes, kept);
  }
  kept.answer ??= look();
  return kept.answer as T;
}

function collect(
  info: Info,
  type: GraphQLObjectType | undefined,
  set: SelectionSetNode | undefined,
  into: Map<string, FieldNode[]>,
): void {
  for (const node of set?.selections ?? []) {
    if (!isIncluded(info, node)) continue;
    if (node.kind === Kind.FIELD) {
      const nodes = into.get(node.name.value);
      if (nodes === undefined) into.set(node.name.value, [node]);
      else nodes.push(node);
      continue;
    }
    const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : info.fragments[node.name.value];
    if (fits(info, type, fragment?.typeCondition)) collect(info, type, fragment?.selectionSet, into);
  }
}

function fits({ schema }: Info, type: GraphQLObjectType | undefined, condition: NamedTypeNode | undefined): boolean {
  if (type === undefined || condition === undefined) return true;
  const wanted = schema.getType(condition.name.value);
  return wanted === type || (isAbstractType(wanted) && schema.isSubType(wanted, type));
}

function isIncluded({ variableValues }: Info, node: SelectionNode): boolean {
  if (node.directives === undefined || node.directives.length === 0) return true;
  return (
    getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.if !== true &&
    getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.if !== false
  );
}
