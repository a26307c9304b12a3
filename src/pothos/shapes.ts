import { extendEntity } from '../entity/body-codec.ts';
import type { Entity } from '../entity/definition.ts';
import type { Page } from '../lists/page.ts';
import type { Position } from '../lists/page-request.ts';
import { encodeCursor } from './cursor.ts';
import { encodeGlobalId } from './global-id.ts';
import { UnreadNode } from './unread-node.ts';

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
  return new UnreadNode(typename, id) as unknown as EntityNode<E>;
}

function makeNode<E extends Entity>(typename: string, entity: E): EntityNode<E> {
  const { id } = entity;
  return extendEntity(entity, { id: encodeGlobalId(typename, id), __typename: typename, databaseId: id });
}

/** The list that a page is of. */
export interface ConnectionList {
  /** The listed entities' type. */
  readonly typename: string;
  /** The list's name and order, which its cursors have. */
  readonly name: string;
  readonly order: string;
}

/** A page as the fields of a connection type read it. Its parts are made when they are read, since most are not. */
export class Connection<E extends Entity> {
  /** `null` where it was not selected. */
  readonly totalCount: number | null;
  readonly pageInfo: PageInfo;
  readonly #page: Page<E>;
  readonly #list: ConnectionList;
  // Compiled queries read a property several times.
  #nodes: readonly EntityNode<E>[] | null = null;
  #edges: readonly EdgeShape<E>[] | null = null;

  /**
   * @param page the page
   * @param list the list that it is of
   */
  constructor(page: Page<E>, list: ConnectionList) {
    this.#page = page;
    this.#list = list;
    this.totalCount = page.total;
    this.pageInfo = new PageInfo(page, list);
  }

  /**
   * @param selection the selection of the nodes, the same object each time
   * @param make writes its text, in pieces
   * @returns the pieces, made once while memory holds the nodes as a page; `null` where it does not
   */
  written(
    selection: object,
    make: (nodes: readonly EntityNode<E>[]) => readonly (string | Buffer)[],
  ): readonly (string | Buffer)[] | null {
    return this.#page.texts?.of(selection, () => make(this.nodes)) ?? null;
  }

  /** The nodes of the page, made at first use. */
  get nodes(): readonly EntityNode<E>[] {
    const { typename } = this.#list;
    this.#nodes ??= this.#page.items.map(({ id, entity }) =>
      entity === null ? unreadNode<E>(typename, id) : nodeOf(typename, entity),
    );
    return this.#nodes;
  }

  /** The edges of the page, made at first use. */
  get edges(): readonly EdgeShape<E>[] {
    this.#edges ??= this.nodes.map((node, i) => new Edge(node, this.#page.items[i]?.position ?? null, this.#list));
    return this.#edges;
  }
}

/** A node and its position in a list, as the fields of an edge type read them. */
export interface EdgeShape<E extends Entity> {
  readonly node: EntityNode<E>;
  /** `null` where no cursor was selected. */
  readonly cursor: string | null;
}

class Edge<E extends Entity> implements EdgeShape<E> {
  readonly node: EntityNode<E>;
  readonly #position: Position | null;
  readonly #list: ConnectionList;

  constructor(node: EntityNode<E>, position: Position | null, list: ConnectionList) {
    this.node = node;
    this.#position = position;
    this.#list = list;
  }

  get cursor(): string | null {
    return cursorOf(this.#position, this.#list);
  }
}

class PageInfo {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly #page: Page<Entity>;
  readonly #list: ConnectionList;

  constructor(page: Page<Entity>, list: ConnectionList) {
    this.hasNextPage = page.hasNext;
    this.hasPreviousPage = page.hasPrevious;
    this.#page = page;
    this.#list = list;
  }

  get startCursor(): string | null {
    return cursorOf(this.#page.start, this.#list);
  }

  get endCursor(): string | null {
    return cursorOf(this.#page.end, this.#list);
  }
}

function cursorOf(position: Position | null, { name, order }: ConnectionList): string | null {
  return position === null ? null : encodeCursor(name, order, position);
}
