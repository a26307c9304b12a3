import { extendEntity } from '../entity/body-codec.ts';
import type { Entity } from '../entity/definition.ts';
import { encodeGlobalId } from './global-id.ts';

/**
 * An entity as the fields of its type read it. Its `id` is the global id, so no resolver has to make it. `__typename` tells the Node
 * interface the type.
 */
export type EntityNode<E extends Entity> = E & { readonly __typename: string; readonly databaseId: string };

/**
 * The nodes of entities, by type, while the entities are in memory. Requests ask for the same nodes again and again, and several types may
 * show one entity.
 */
const known = new Map<string, WeakMap<Entity, EntityNode<Entity>>>();

/**
 * @param typename the entity's type
 * @param entity the entity
 * @returns its node, the same object while the entity is kept
 */
export function nodeOf<E extends Entity>(typename: string, entity: E): EntityNode<E> {
  let nodes = known.get(typename);
  if (nodes === undefined) {
    nodes = new WeakMap();
    known.set(typename, nodes);
  }
  let node = nodes.get(entity) as EntityNode<E> | undefined;
  if (node === undefined) {
    node = makeNode(typename, entity);
    nodes.set(entity, node);
  }
  return node;
}

/**
 * @param typename the entity's type
 * @param id its database id
 * @returns a node without a body, for queries that select only what follows from the id
 */
export function unreadNode<E extends Entity>(typename: string, id: string): EntityNode<E> {
  return makeNode(typename, { id } as E);
}

function makeNode<E extends Entity>(typename: string, entity: E): EntityNode<E> {
  const { id } = entity;
  return extendEntity(entity, { id: encodeGlobalId(typename, id), __typename: typename, databaseId: id });
}
