import type { FieldMap } from '@pothos/core';
import type { Entity } from '../../repository/entity-definition.ts';
import { builder, type SchemaTypes } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { encodeCursor } from '../cursor.ts';
import type { EntityType } from '../entity-type.ts';
import { encodeGlobalId } from '../global-id.ts';
import { inputId, notFound, withInput } from './write.ts';

/** What a mutation that writes one entity answers from. */
interface Written<E> {
  readonly entity: E;
}

type OutputBuilder<Shape> = PothosSchemaTypes.ObjectFieldBuilder<SchemaTypes, Shape>;

/**
 * The payload's field with the written entity.
 *
 * @param t the payload's field builder
 * @param type the entity's type
 * @returns the field
 */
export function writtenField<E extends Entity, Lists extends string>(
  t: OutputBuilder<Written<E>>,
  type: EntityType<E, Lists>,
) {
  return t.field({
    description: 'The node as it was written.',
    type: type.ref,
    nullable: true,
    resolve: (written) => type.nodeOf(written.entity) as never,
  });
}

/**
 * The payload's field with the new edge of the list of all entities in the order of ids.
 *
 * @param t the payload's field builder
 * @param type the entity's type
 * @returns the field
 */
export function newEdgeField<E extends Entity>(
  t: OutputBuilder<Written<E>>,
  type: EntityType<E, 'all'>,
): FieldMap[string] {
  return t.field({
    description: 'The new edge, for the list of all nodes of this type.',
    type: type.edge,
    nullable: true,
    resolve: ({ entity }) =>
      ({
        node: type.nodeOf(entity),
        cursor: encodeCursor(`${type.name}.all`, 'ID', { key: null, id: entity.id }),
      }) as never,
  });
}

/**
 * Adds the mutation that deletes an entity by its id.
 *
 * @param type the entity's type
 * @param description what is deleted with it
 */
export function deleteMutation<E extends Entity, Lists extends string>(
  type: EntityType<E, Lists>,
  description: string,
): void {
  builder.relayMutationField(
    `delete${type.name}`,
    { inputFields: (t) => ({ id: t.id({ required: true }) }) },
    {
      description,
      nullable: true,
      resolve: (_root, { input }, context: GraphQLContext) =>
        withInput(async () => {
          const id = inputId(type.name, 'id', input.id);
          const deleted = await type.repositoryOf(context).delete(id, context.scope);
          if (!deleted) throw notFound(type.name, 'id');
          return { deletedId: encodeGlobalId(type.name, id) };
        }),
    },
    {
      outputFields: (t) => ({ deletedId: t.exposeID('deletedId', { description: 'What is gone.', nullable: false }) }),
    },
  );
}
