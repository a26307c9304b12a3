import type { ObjectRef, SchemaTypes } from '@pothos/core';
import type { GraphQLResolveInfo } from 'graphql';
import { atEndOfTurn, Batch } from '../batch.ts';
import type { Entity } from '../entity/definition.ts';
import type { LarderContext } from '../repository/context.ts';
import type { FindBy } from '../repository/find-by.ts';
import type { Repository } from '../repository/repository.ts';
import type { Connection, EdgeShape } from './connection-shape.ts';
import { type EntityNode, nodeOf, unreadNode } from './entity-node.ts';
import type { LoadNode } from './node.ts';
import { PROPERTY } from './property.ts';
import { needsBody, selectionOf } from './selection.ts';

/** Spans know their request by the context that a callback is called in, and what is called together is called in that of the first. */
const own = (send: () => void) => void setImmediate(send);

/** Any builder: what is kept for one does not depend on its types. */
export type Builder = PothosSchemaTypes.SchemaBuilder<SchemaTypes>;

/** The GraphQL type of an entity in one builder, whether it has been given its fields yet or not. */
export class EntityType {
  /** The type's name. */
  readonly name: string;
  /** The entity's name, which is its repository's. */
  readonly entity: string;
  /** The type that fields refer to. */
  readonly ref: ReturnType<EntityType['makeRef']>;
  /** Loads a node by its database id; calls of one turn are batched. */
  readonly load: LoadNode;
  implemented = false;
  /** Who may see entities of the type (scope-auth): nobody else may see its pages and edges. */
  authScopes: unknown = undefined;
  /** Whether these depend on the entity, so that no page or count can know what it may say. */
  isHiddenOneByOne = false;
  readonly #builder: Builder;
  readonly #listNames = new Map<string, string>();
  #edge: ObjectRef<SchemaTypes, EdgeShape<Entity>> | null = null;
  #connection: ObjectRef<SchemaTypes, Connection<Entity>> | null = null;

  /**
   * @param builder the builder that the type belongs to
   * @param name the type's name
   * @param entity the entity's name
   */
  constructor(builder: Builder, name: string, entity: string) {
    this.#builder = builder;
    this.name = name;
    this.entity = entity;
    this.load = (id, context) => this.#batchOf(context).load(id);
    this.ref = this.makeRef();
  }

  /** @returns a loadable object behind the entity's repository */
  private makeRef() {
    const { name } = this;
    const ref = this.#builder.loadableObjectRef<EntityNode<Entity>, string>(name, {
      load: () => Promise.reject(new TypeError(`${name} is loaded in batches of Larder's.`)),
    });
    // Of the DataLoader that Pothos would make, it uses no more than a batch has.
    ref.getDataloader = ((context: LarderContext) => this.#batchOf(context)) as never;
    return ref;
  }

  /** What a request asks for by id of this type. The request's identity map remembers, and knows of writes. */
  #batchOf(context: LarderContext): Batch<string, EntityNode<Entity> | null> {
    const { collected, scope } = context;
    let batch = collected.get(this) as Batch<string, EntityNode<Entity> | null> | undefined;
    if (batch === undefined) {
      const { name } = this;
      const nodesOf = (entities: readonly (Entity | null)[]) =>
        entities.map((entity) => entity && nodeOf(name, entity));
      const read = (ids: readonly string[]) => this.repositoryOf(context).findByIds(ids, scope).then(nodesOf);
      batch = new Batch(scope.trace.ownStatements ? own : atEndOfTurn, read);
      collected.set(this, batch);
    }
    return batch;
  }

  /** The type of the entity's edges, made when a field first asks for it. */
  get edge(): ObjectRef<SchemaTypes, EdgeShape<Entity>> {
    this.#edge ??= this.#builder.edgeObject({
      name: `${this.name}Edge`,
      description: `A node of the type ${this.name} and its place in a list.`,
      type: this.ref,
      // An edge is one with its node, and costs what one costs.
      nodeField: { nullable: false, extensions: { ...PROPERTY, cost: 0 } },
    } as never) as never;
    return this.#edge as ObjectRef<SchemaTypes, EdgeShape<Entity>>;
  }

  /** The type of the entity's pages, made when a field first asks for it. */
  get connection(): ObjectRef<SchemaTypes, Connection<Entity>> {
    this.#connection ??= this.#makeConnection();
    return this.#connection;
  }

  #makeConnection(): ObjectRef<SchemaTypes, Connection<Entity>> {
    const { name, ref } = this;
    // The shape that Pothos knows has neither a count nor nodes of its own.
    const fields = (t: PothosSchemaTypes.ObjectFieldBuilder<SchemaTypes, Connection<Entity>>) => ({
      nodes: t.field({
        type: [ref],
        nullable: { list: false, items: false },
        extensions: PROPERTY,
        resolve: ({ nodes }) => nodes as never,
      }),
      pageInfo: t.field({
        type: this.#builder.pageInfoRef(),
        nullable: false,
        extensions: PROPERTY,
        resolve: ({ pageInfo }) => pageInfo as never,
      }),
      totalCount: t.exposeInt('totalCount' as never, {
        description: 'How many the list has in all, filters applied and cursors left aside. Costs a count.',
        nullable: false,
        extensions: { cost: 1 },
      }),
    });
    return this.#builder.connectionObject(
      {
        name: `${name}Connection`,
        description: `A page of a list of nodes of the type ${name}.`,
        type: ref,
        edgesNullable: { list: false, items: false },
        edgesField: { extensions: PROPERTY },
        fields,
      } as never,
      this.edge as never,
    ) as never;
  }

  /**
   * @param list one of the entity's lists
   * @returns what the list is called in cursors: the same text each time, since maps must first hash one that is new
   */
  listName(list: string): string {
    const listName = this.#listNames.get(list) ?? `${this.entity}.${list}`;
    this.#listNames.set(list, listName);
    return listName;
  }

  /**
   * @param context the request's context
   * @returns the entity's repository
   * @throws {TypeError} when the context has none of that name: it belongs to another Larder
   */
  repositoryOf({ repositories }: LarderContext): AnyRepository {
    const repository = (repositories as Record<string, AnyRepository | undefined>)[this.entity];
    if (repository === undefined) {
      throw new TypeError(`Expected a context whose repositories have ${this.entity}: make it with createContext().`);
    }
    return repository;
  }

  /**
   * A field's answer from the id that an entity holds of another: what the id alone tells is not read.
   *
   * @param id the other entity's id, known to exist
   * @param info the field's info
   * @returns the id, which Pothos loads, or a stand-in when nothing but the id is selected
   */
  reference(id: string, info: GraphQLResolveInfo): string | EntityNode<Entity> {
    return needsBody(info, this.name, selectionOf(info)) ? id : unreadNode(this.name, id);
  }
}

/** A repository of whatever entity. */
type AnyRepository = Repository<Entity, string> & FindBy<Entity, string>;
