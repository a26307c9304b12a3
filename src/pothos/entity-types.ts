import type { ObjectRef, SchemaTypes } from '@pothos/core';
import type { GraphQLResolveInfo } from 'graphql';
import { wrongDeclaration } from '../entity/check-declaration.ts';
import type { Entity } from '../entity/definition.ts';
import type { LarderContext } from '../repository/context.ts';
import type { FindBy } from '../repository/find-by.ts';
import type { Repository } from '../repository/repository.ts';
import { Batch } from './batch.ts';
import type { Connection, EdgeShape } from './connection-shape.ts';
import { type EntityNode, nodeOf, unreadNode } from './entity-node.ts';
import { addNodeFields, type LoadNode } from './node.ts';
import { PROPERTY } from './property.ts';
import { needsBody, selectionOf } from './selection.ts';
import { atEndOfTurn } from './turn.ts';

/** Spans know their request by the context that a callback is called in, and what is called together is called in that of the first. */
const own = (send: () => void) => void setImmediate(send);

/** Any builder: what is kept for one does not depend on its types. */
type Builder = PothosSchemaTypes.SchemaBuilder<SchemaTypes>;

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

/** The entity types of one builder, by their names. */
const typesOfBuilders = new WeakMap<object, Map<string, EntityType>>();

/**
 * The entity types of a builder. The first look adds `node` and `nodes` to its query type.
 *
 * @param builder the builder
 * @returns its entity types, by their names
 */
function entityTypes(builder: Builder): Map<string, EntityType> {
  let types = typesOfBuilders.get(builder);
  if (types === undefined) {
    types = new Map();
    typesOfBuilders.set(builder, types);
    addNodeFields(builder, (typename) => types?.get(typename)?.load);
  }
  return types;
}

/**
 * @param builder the builder
 * @param name the type's name
 * @param entity the name of the entity that it shows, where that is another
 * @returns the type, which may be given its fields later: types may refer to each other
 */
export function entityType(builder: Builder, name: string, entity: string = name): EntityType {
  const types = entityTypes(builder);
  let type = types.get(name);
  if (type === undefined) {
    type = new EntityType(builder, name, entity);
    types.set(name, type);
  }
  return type;
}

/**
 * @param builder a builder whose schema is being built
 * @param name the name of a type
 * @returns the scopes that guard it, when it is of the pages or edges of an entity's type that has some
 */
export function scopesOf(builder: Builder, name: string): unknown {
  const listed = /^(.+)(?:Connection|Edge)$/.exec(name)?.[1];
  return listed === undefined ? undefined : typesOfBuilders.get(builder)?.get(listed)?.authScopes;
}

/**
 * @param builder a builder whose schema is being built
 * @param field where a field is, such as `Query.books`
 * @param name the entity type that it lists
 * @throws {TypeError} when anybody may read the list, and not each of its entities: it would count those that are hidden
 */
export function checkListable(builder: Builder, field: string, name: string): void {
  if (typesOfBuilders.get(builder)?.get(name)?.isHiddenOneByOne !== true) return;
  const why = `since its own are a function of the entity, which the list's count and cursors would tell of`;
  throw wrongDeclaration(field, `authScopes for a list of ${name}, ${why}`, 'none', 'permissions');
}

/**
 * @param builder a builder whose schema is about to be built
 * @throws {TypeError} when a field refers to an entity that has no type
 */
export function checkImplemented(builder: Builder): void {
  for (const { name, implemented } of typesOfBuilders.get(builder)?.values() ?? []) {
    if (!implemented) throw new TypeError(`A field refers to ${name}: expected builder.entity('${name}', { … }).`);
  }
}
