import type { ObjectRef, SchemaTypes } from '@pothos/core';
import type { GraphQLResolveInfo } from 'graphql';
import { atEndOfTurn, Batch } from '../batch.ts';
import type { Entity } from '../entity/definition.ts';
import type { LarderContext } from '../repository/context.ts';
import type { FindBy } from '../repository/find-by.ts';
import type { Recall, Repository } from '../repository/repository.ts';
import { addedOptions } from './added-options.ts';
import type { LoadNode } from './node.ts';
import { PROPERTY } from './property.ts';
import { lookOnce, needsBody, selectionOf } from './selection.ts';
import { type Connection, type EdgeShape, type EntityNode, nodeOf, unreadNode } from './shapes.ts';

/** A span finds its request by the context of a callback. A shared batch would run in the context of the first request. */
const own = (send: () => void) => void setImmediate(send);

/** Any builder. What is kept for a builder does not depend on its types. */
export type Builder = PothosSchemaTypes.SchemaBuilder<SchemaTypes>;

/** The GraphQL type of an entity in one builder, with or without its fields. */
export class EntityType {
  /** The type's name. */
  readonly name: string;
  /** The name of the entity and of its repository. */
  readonly entity: string;
  /** The type, for fields that refer to it. */
  readonly ref: ReturnType<EntityType['makeRef']>;
  /** Loads a node by its database id, at once when memory holds it and nothing is asked beside it. The others of one turn are batched. */
  readonly load: LoadNode;
  implemented = false;
  /** The scopes (scope-auth) that may see entities of the type. They guard its pages and edges, too. */
  authScopes: unknown = undefined;
  /** Whether the scopes depend on the entity. Then a page or a count cannot hide others. */
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
    this.load = (id, context) => {
      const repository = this.repositoryOf(context);
      const { scope } = context;
      const held = scope.asksInTurn ? repository.findByIds.recall?.(id, scope) : undefined;
      if (held === undefined) return this.#batchOf(context).load(id);
      return held && nodeOf(name, held);
    };
    this.ref = this.makeRef();
  }

  /** @returns a loadable object behind the entity's repository */
  private makeRef() {
    const { name } = this;
    const ref = this.#builder.loadableObjectRef<EntityNode<Entity>, string>(name, {
      load: () => Promise.reject(new TypeError(`${name} is loaded in batches of Larder's.`)),
    });
    // It is all that Pothos uses of the DataLoader that it would make.
    ref.getDataloader = ((context: LarderContext) => ({ load: (id: string) => this.load(id, context) })) as never;
    return ref;
  }

  /** Batches a request's reads by id of this type. The request's identity map remembers entities, and follows writes. */
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

  /** The type of the entity's edges, made at first use. */
  get edge(): ObjectRef<SchemaTypes, EdgeShape<Entity>> {
    this.#edge ??= this.#builder.edgeObject({
      name: `${this.name}Edge`,
      description: `A node of the type ${this.name} and its place in a list.`,
      type: this.ref,
      // An edge costs nothing beside its node.
      nodeField: { nullable: false, extensions: { ...PROPERTY, cost: 0 } },
    } as never) as never;
    return this.#edge as ObjectRef<SchemaTypes, EdgeShape<Entity>>;
  }

  /** The type of the entity's pages, made at first use. */
  get connection(): ObjectRef<SchemaTypes, Connection<Entity>> {
    this.#connection ??= this.#makeConnection();
    return this.#connection;
  }

  #makeConnection(): ObjectRef<SchemaTypes, Connection<Entity>> {
    const { name, ref } = this;
    const { nodesOnConnection, pageInfoFieldOptions } = this.#builder.options.relay ?? {};
    // Pothos' own type of a connection has neither a count nor nodes.
    const fields = (t: PothosSchemaTypes.ObjectFieldBuilder<SchemaTypes, Connection<Entity>>) => ({
      nodes: t.field({
        ...addedOptions(nodesOnConnection),
        type: [ref],
        nullable: { list: false, items: false },
        extensions: PROPERTY,
        resolve: ({ nodes }) => nodes as never,
      }),
      pageInfo: t.field({
        nullable: false,
        ...addedOptions(pageInfoFieldOptions),
        type: this.#builder.pageInfoRef(),
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
   * @returns the list's name in cursors. It is the same text object each time, since a Map hashes each new one
   */
  listName(list: string): string {
    const listName = this.#listNames.get(list) ?? `${this.entity}.${list}`;
    this.#listNames.set(list, listName);
    return listName;
  }

  /**
   * Every way to an entity asks for it before anything else of the context, which the application gives.
   *
   * @param context the request's context
   * @returns the entity's repository
   * @throws {TypeError} when the context has none of that name: it belongs to another Larder, or to none
   */
  repositoryOf(context: Partial<LarderContext> | undefined): AnyRepository {
    const repositories = context?.repositories as Record<string, AnyRepository | undefined> | undefined;
    const repository = repositories?.[this.entity];
    if (repository === undefined || context?.scope === undefined) {
      throw new TypeError(`Expected the context of a Larder that has ${this.entity}: make it with createContext().`);
    }
    return repository;
  }

  /**
   * Answers a field with the entity whose id another entity holds. It is not read when the query selects only what follows from the id.
   *
   * @param id the other entity's id, which exists
   * @param info the field's info
   * @param context the request's context
   * @returns the id, which Pothos loads, or a node without a body
   * @throws {TypeError} as `repositoryOf` does
   */
  reference(id: string, info: GraphQLResolveInfo, context: LarderContext): string | EntityNode<Entity> {
    this.repositoryOf(context);
    const isRead = lookOnce(info, context, () => needsBody(info, this.name, selectionOf(info)));
    return isRead ? id : unreadNode(this.name, id);
  }
}

/** A repository of any entity. */
type AnyRepository = Repository<Entity, string> &
  FindBy<Entity, string> & { readonly findByIds: { readonly recall?: Recall<Entity> } };
