import type { Entity } from '../repository/entity-definition.ts';
import { builder } from './builder.ts';
import type { GraphQLContext } from './context.ts';
import type { EntityNode } from './entity-node.ts';
import { decodeGlobalId } from './global-id.ts';
import { userInputError } from './user-input-error.ts';

/** How many ids `nodes` takes: as many as a page may have entries. */
const MAX_NODES = 100;

/** Loads a node by its database id; `null` when there is none. */
type NodeLoader = (id: string, context: GraphQLContext) => Promise<EntityNode<Entity> | null>;

const loaders = new Map<string, NodeLoader>();

/**
 * Makes a type reachable through `node` and `nodes`.
 *
 * @param typename the type's name
 * @param load loads one of its nodes; calls of one turn are batched
 */
export function registerNode(typename: string, load: NodeLoader): void {
  loaders.set(typename, load);
}

/**
 * Loads the entity that a client's global id names (Relay Global Object Identification, section 3).
 *
 * @param globalId what the client sent
 * @param context the request's context
 * @returns the node; `null` when the id names nothing
 */
async function loadNode(globalId: string, context: GraphQLContext): Promise<EntityNode<Entity> | null> {
  const decoded = decodeGlobalId(globalId);
  if (decoded === null) return null;
  return (await loaders.get(decoded.typename)?.(decoded.id, context)) ?? null;
}

/**
 * The database id behind a global id of one type.
 *
 * @param typename the type that the id must be of
 * @param globalId what the client sent
 * @returns the database id; `null` when the text is no global id of that type
 */
export function databaseId(typename: string, globalId: string): string | null {
  const decoded = decodeGlobalId(globalId);
  return decoded?.typename === typename ? decoded.id : null;
}

builder.queryFields((t) => ({
  node: t.field({
    description: 'The object with a global id; `null` when there is none.',
    type: builder.nodeInterfaceRef(),
    nullable: true,
    args: { id: t.arg.id({ required: true, description: 'A global id.' }) },
    resolve: (_root, { id }, context) => loadNode(id, context),
  }),
  nodes: t.field({
    description: `The objects with these global ids, in order, \`null\` where there is none. At most ${MAX_NODES}.`,
    type: [builder.nodeInterfaceRef()],
    nullable: { list: true, items: true },
    args: { ids: t.arg.idList({ required: true, description: 'Global ids.' }) },
    complexity: ({ ids }) => ({ field: 1, multiplier: ids.length }),
    resolve: (_root, { ids }, context) => {
      if (ids.length > MAX_NODES) throw userInputError('ids', `Expected at most ${MAX_NODES} ids, got ${ids.length}.`);
      return ids.map((id) => loadNode(id, context));
    },
  }),
}));
