import type { SchemaTypes } from '@pothos/core';
import type { Entity } from '../entity/definition.ts';
import type { LarderContext } from '../repository/context.ts';
import type { Repository } from '../repository/repository.ts';
import { addedOptions } from './added-options.ts';
import { decodeGlobalId, globalIdOf } from './global-id.ts';
import { OtherNodes } from './other-nodes.ts';
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
  const isEntity = (typename: string) => loaderOf(typename) !== undefined;
  const loadNode = async (globalId: string, context: LarderContext, others: OtherNodes) => {
    const decoded = decodeGlobalId(globalId);
    const load = decoded === null ? undefined : loaderOf(decoded.typename);
    return decoded !== null && load !== undefined ? load(decoded.id, context) : others.load(globalId, isEntity);
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
      resolve: (_root, { id }, given, info) => {
        const context = given as LarderContext;
        return loadNode(String(id), context, new OtherNodes(builder, context, info)) as never;
      },
    }),
    nodes: t.field({
      description: `The objects with these global ids, in order, \`null\` where there is none. At most ${MAX_NODES}.`,
      ...addedOptions(relay?.nodesQueryOptions),
      type: [builder.nodeInterfaceRef()],
      nullable: { list: true, items: true },
      args: { ids: t.arg.idList({ required: true, description: 'Global ids.', extensions }) },
      extensions: { entries: numberOfIds },
      resolve: (_root, { ids }, given, info) => {
        if (ids.length > MAX_NODES) {
          throw userInputError('ids', `Expected at most ${MAX_NODES} ids, got ${ids.length}.`);
        }
        // An error is an entry like any other. In a list of promises, graphql-jit, which mercurius has (`jit`), would move errors to the end.
        const asEntry = (error: unknown) => error;
        const context = given as LarderContext;
        const others = new OtherNodes(builder, context, info);
        const entries = ids.map((id) => loadNode(String(id), context, others).catch(asEntry));
        return Promise.all(entries) as never;
      },
    }),
  }));
}

/**
 * @param args the arguments of `nodes`
 * @returns how many entries its list has, for its cost
 */
export function numberOfIds({ ids }: { readonly ids: readonly unknown[] }): number {
  return ids.length;
}
