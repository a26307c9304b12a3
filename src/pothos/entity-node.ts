import { extendEntity } from '../entity/body-codec.ts';
import type { Entity } from '../entity/definition.ts';
import { encodeGlobalId } from './global-id.ts';

/**
 * An entity as the fields of its type read it: `id` is the global one, so that no resolver has to be called for it, and the name of
 * the type tells the Node interface what it is.
 */
export type EntityNode<E extends Entity> = E & { readonly __typename: string; readonly databaseId: string };

/** The nodes of entities that are in memory, which are asked for again and again, by type: several may show one entity. */
const known = new Map<string, WeakMap<Entity, EntityNode<Entity>>>();

/**
 * @param typename the entity's type
 * @param entity the entity
 * @returns its node, the same each time for as long as the entity itself is kept
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
 * @returns a node for those who ask for nothing but what the id tells
 */
export function unreadNode<E extends Entity>(typename: string, id: string): EntityNode<E> {
  return makeNode(typename, { id } as E);
}

function makeNode<E extends Entity>(typename: string, entity: E): EntityNode<E> {
  const { id } = entity;
  return extendEntity(entity, { id: encodeGlobalId(typename, id), __typename: typename, databaseId: id });
}
