import type { FieldMap } from '@pothos/core';
import { type EntityRef, encodeCursor, encodeGlobalId, nodeOf } from '../pothos/index.ts';
import type { Builder, SchemaTypes } from './builder.ts';
import type { Repositories } from './entities.ts';
import { inputId, notFound } from './write.ts';

/** The names of the entities. */
type Name = keyof Repositories;

/** The result of a mutation that writes one entity. */
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
export function writtenField<E extends { readonly id: string }>(
  t: OutputBuilder<Written<E>>,
  type: EntityRef<SchemaTypes, Name>,
): FieldMap[string] {
  return t.field({
    description: 'The node as it was written.',
    type: type.ref,
    nullable: true,
    resolve: ({ entity }) => nodeOf(type.name, entity) as never,
  });
}

/**
 * The payload's field with the new edge, in the list of all entities in the order of ids.
 *
 * @param t the payload's field builder
 * @param type the entity's type
 * @returns the field
 */
export function newEdgeField<E extends { readonly id: string }>(
  t: OutputBuilder<Written<E>>,
  type: EntityRef<SchemaTypes, Name>,
): FieldMap[string] {
  return t.field({
    description: 'The new edge, for the list of all nodes of this type.',
    type: type.edge,
    nullable: true,
    resolve: ({ entity }) =>
      ({
        node: nodeOf(type.name, entity),
        cursor: encodeCursor(`${type.name}.all`, 'ID', { key: null, id: entity.id }),
      }) as never,
  });
}

/**
 * Adds the mutation that deletes an entity by its id.
 *
 * @param builder the schema's builder
 * @param type the entity's type
 * @param description says what is deleted with it
 */
export function addDeleteMutation(builder: Builder, type: { readonly name: string }, description: string): void {
  const name = type.name as Name;
  builder.relayMutationField(
    `delete${name}`,
    { inputFields: (t) => ({ id: t.id({ required: true }) }) },
    {
      description,
      nullable: true,
      resolve: async (_root, { input }, { repositories, scope }) => {
        const id = inputId(name, 'id', input.id);
        const deleted = await repositories[name].delete(id, scope);
        if (!deleted) throw notFound(name, 'id');
        return { deletedId: encodeGlobalId(name, id) };
      },
    },
    {
      outputFields: (t) => ({ deletedId: t.exposeID('deletedId', { description: 'What is gone.', nullable: false }) }),
    },
  );
}
