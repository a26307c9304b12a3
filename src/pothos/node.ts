import type { SchemaTypes } from '@pothos/core';
import { resolveNodes } from '@pothos/plugin-relay';
import { type GraphQLResolveInfo, isObjectType } from 'graphql';
import type { Entity } from '../entity/definition.ts';
import type { LarderContext } from '../repository/context.ts';
import type { Repository } from '../repository/repository.ts';
import { addedOptions } from './added-options.ts';
import { decodeGlobalId, globalIdOf } from './global-id.ts';
import type { EntityNode } from './shapes.ts';
import { userInputError } from './user-input-error.ts';

/** How many ids `nodes` takes, which is the most entries of a page. */
const MAX_NODES = 100;

/** Loads a node by its database id; `null` when there is none. It answers at once when memory holds the entity. */
export type LoadNode = (
  id: string,
  context: LarderContext,
) => EntityNode<Entity> | null | Promise<EntityNode<Entity> | null>;

/**
 * Reads the database id from a global id of one type.
 *
 * @param typename the expected type
 * @param globalId what the client sent
 * @param context the request's context; without it the id's form is not checked
 * @returns the database id; `null` when the text is no global id of that type, or no row of that entity can have the id
 */
export function databaseId(
  typename: string,
  globalId: string,
  context?: Pick<LarderContext, 'repositories'>,
): string | null {
  const decoded = decodeGlobalId(globalId);
  return decoded?.typename === typename && isIdOf(context, decoded) ? decoded.id : null;
}

/**
 * @param context the request's context
 * @param decoded the type and the database id in a global id
 * @returns whether a row of the entity of that name can have the id; true when there is no such entity
 */
export function isIdOf(
  context: Pick<LarderContext, 'repositories'> | undefined,
  { typename, id }: { readonly typename: string; readonly id: string },
): boolean {
  const repositories = new Map(
    Object.entries((context?.repositories ?? {}) as Record<string, Repository<Entity, string>>),
  );
  return repositories.get(typename)?.isId(id) ?? true;
}

/**
 * Replaces the Relay plugin's `node` and `nodes` (Relay Global Object Identification, section 3). A bad id gives `null` in its own place,
 * and no error for all. Nodes that are no entities are left to the Relay plugin.
 *
 * @param builder the builder
 * @param loaderOf gives the loader of a type's nodes; `undefined` when it shows no entity
 */
export function addNodeFields(
  builder: PothosSchemaTypes.SchemaBuilder<SchemaTypes>,
  loaderOf: (typename: string) => LoadNode | undefined,
): void {
  const { relay } = builder.options;
  // Not in the object that the application gave, since it may give it to another builder, too.
  const off = { ...relay, nodeQueryOptions: false, nodesQueryOptions: false };
  builder.options = { ...builder.options, relay: off } as never;
  const loadNode = async (globalId: string, context: LarderContext, info: GraphQLResolveInfo) => {
    const decoded = decodeGlobalId(globalId);
    const load = decoded === null ? undefined : loaderOf(decoded.typename);
    if (decoded !== null && load !== undefined) return load(decoded.id, context);
    const other = idOfOther(builder, globalId, context, info);
    if (other === null || loaderOf(other.typename) !== undefined) return null;
    if (!isNode(info, builder.nodeInterfaceRef().name, other.typename)) return null;
    return (await resolveNodes(builder, context, info, [other]))[0];
  };
  // Who reads other forms of ids alone can tell whether a text is none.
  const extensions = relay?.decodeGlobalID === undefined ? globalIdOf(null) : {};
  builder.queryFields((t) => ({
    node: t.field({
      description: 'The object with a global id; `null` when there is none.',
      ...addedOptions(relay?.nodeQueryOptions),
      type: builder.nodeInterfaceRef(),
      nullable: true,
      args: { id: t.arg.id({ required: true, description: 'A global id.', extensions }) },
      resolve: (_root, { id }, context, info) => loadNode(String(id), context as LarderContext, info) as never,
    }),
    nodes: t.field({
      description: `The objects with these global ids, in order, \`null\` where there is none. At most ${MAX_NODES}.`,
      ...addedOptions(relay?.nodesQueryOptions),
      type: [builder.nodeInterfaceRef()],
      nullable: { list: true, items: true },
      args: { ids: t.arg.idList({ required: true, description: 'Global ids.', extensions }) },
      extensions: { entries: numberOfIds },
      resolve: (_root, { ids }, context, info) => {
        if (ids.length > MAX_NODES) {
          throw userInputError('ids', `Expected at most ${MAX_NODES} ids, got ${ids.length}.`);
        }
        // An error is an entry like any other. In a list of promises, graphql-jit, which mercurius has (`jit`), would move errors to the end.
        const asEntry = (error: unknown) => error;
        const entries = ids.map((id) => loadNode(String(id), context as LarderContext, info).catch(asEntry));
        return Promise.all(entries) as never;
      },
    }),
  }));
}

/**
 * Reads the id of a node that is no entity, by the developer's `decodeGlobalID` and the `parse` of the node's id, as the Relay plugin does.
 * These may throw for a text that is no id, which names nothing.
 */
function idOfOther(
  builder: PothosSchemaTypes.SchemaBuilder<SchemaTypes>,
  globalId: string,
  context: LarderContext,
  { schema }: GraphQLResolveInfo,
): { typename: string; id: unknown } | null {
  try {
    const decode = builder.options.relay?.decodeGlobalID ?? decodeGlobalId;
    const decoded = decode(globalId, context);
    if (decoded === null) return null;
    const parse = schema.getType(decoded.typename)?.extensions.pothosParseGlobalID as
      | ((id: string, context: object) => unknown)
      | undefined;
    return parse === undefined ? decoded : { ...decoded, id: parse(decoded.id, context) };
  } catch {
    return null;
  }
}

/**
 * @param args the arguments of `nodes`
 * @returns how many entries its list has, for its cost
 */
export function numberOfIds({ ids }: { readonly ids: readonly unknown[] }): number {
  return ids.length;
}

/** Whether a type of the schema is a node. A client may name any type. */
function isNode({ schema }: GraphQLResolveInfo, node: string, typename: string): boolean {
  const type = schema.getType(typename);
  return isObjectType(type) && type.getInterfaces().some(({ name }) => name === node);
}
