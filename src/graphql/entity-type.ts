import type { FieldMap } from '@pothos/core';
import type { GraphQLResolveInfo } from 'graphql';
import type { Repositories } from '../domain/repositories.ts';
import type { Repository } from '../repository/cached-repository.ts';
import type { Entity } from '../repository/entity-definition.ts';
import { builder, type SchemaTypes } from './builder.ts';
import type { GraphQLContext } from './context.ts';
import { entityLoaders } from './entity-loaders.ts';
import { type EntityNode, nodeOf, unreadNode } from './entity-node.ts';
import { registerNode } from './node.ts';
import { FROM_ID, needsBody, selectionOf } from './selection.ts';

/** The GraphQL type of an entity, as other types refer to it. */
export type EntityType<E extends Entity, Lists extends string> = ReturnType<typeof entityType<E, Lists>>;

/**
 * Declares the GraphQL type of an entity: a loadable object behind the entity's repository, a Node, with its connection.
 * Its fields are added by `implement` in a statement of its own, so that types may refer to each other.
 *
 * @param name the type's name, which is the repository's
 * @param repositoryOf picks the entity's repository
 * @returns references to the type and its connection, how to reach the repository, and how entities become nodes
 */
export function entityType<E extends Entity, Lists extends string>(
  name: string,
  repositoryOf: (repositories: Repositories) => Repository<E, Lists>,
) {
  // `null` is a gap: the loader's answers stand in the order of the ids. Pothos' types know only of errors there.
  const nodesOf = (entities: (E | null)[]) =>
    entities.map((entity) => entity && nodeOf(name, entity)) as EntityNode<E>[];
  const load = (ids: readonly string[], { repositories, scope }: GraphQLContext) =>
    repositoryOf(repositories).findByIds(ids, scope).then(nodesOf);
  const ref = builder.loadableObjectRef<EntityNode<E>, string>(name, { load });
  ref.getDataloader = entityLoaders(name, load);
  registerNode(name, (id, context) => ref.getDataloader(context).load(id) as Promise<EntityNode<E> | null>);

  const edge = builder.edgeObject({
    name: `${name}Edge`,
    description: `A node of the type ${name} and its place in a list.`,
    type: ref,
  });

  const connection = builder.connectionObject(
    {
      name: `${name}Connection`,
      description: `A page of a list of nodes of the type ${name}.`,
      type: ref,
      fields: (t) => ({
        // The page counts only when this is selected; the shape that Pothos knows has no such property.
        totalCount: t.exposeInt('totalCount' as never, {
          description: 'How many the list has in all, filters applied and cursors left aside. Costs a count.',
          nullable: false,
        }),
      }),
    },
    edge,
  );

  const listNames = new Map<Lists, string>();

  return {
    name,
    ref,
    edge,
    connection,

    /**
     * @param list one of the entity's lists
     * @returns what the list is called in cursors: the same text each time, since maps must first hash one that is new
     */
    listName: (list: Lists): string => {
      const listName = listNames.get(list) ?? `${name}.${list}`;
      listNames.set(list, listName);
      return listName;
    },

    repositoryOf: (context: GraphQLContext) => repositoryOf(context.repositories),

    /**
     * A field's answer from the id that an entity holds of another: what the id alone tells is not read.
     *
     * @param id the other entity's id, known to exist
     * @param info the field's info
     * @returns the id, which Pothos loads, or a stand-in when nothing but the id is selected
     */
    reference: (id: string, info: GraphQLResolveInfo): string | EntityNode<E> =>
      needsBody(info, name, selectionOf(info)) ? id : unreadNode<E>(name, id),

    /**
     * @param entity an entity that was read or written elsewhere
     * @returns what the type's fields read
     */
    nodeOf: (entity: E): EntityNode<E> => nodeOf(name, entity),

    /** @param options the type's description and its fields; `id` and the Node interface are added */
    implement: (options: {
      description: string;
      fields: (t: PothosSchemaTypes.ObjectFieldBuilder<SchemaTypes, Exclude<EntityNode<E>, Error>>) => FieldMap;
    }): void => {
      ref.implement({
        description: options.description,
        interfaces: [builder.nodeInterfaceRef()],
        fields: (t) => ({
          // Pothos' own global id field is async, which costs as much as a resolver that does I/O.
          id: t.exposeID('id' as never, { description: 'The global id.', nullable: false, extensions: FROM_ID }),
          ...options.fields(t),
        }),
      });
    },
  };
}
