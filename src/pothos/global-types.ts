import type { FieldKind, InputFieldMap, SchemaTypes } from '@pothos/core';
// These modules add to the builder's types, so they are imported here.
import type {} from '@pothos/plugin-dataloader';
import type {} from '@pothos/plugin-relay';
import type { LarderPlugin } from './plugin.ts';
import type { Connection, EntityNode } from './shapes.ts';
import type {
  ByOf,
  EntityByIdOptions,
  EntityConnectionOptions,
  EntityName,
  EntityOf,
  EntityRef,
  EntityReferenceOptions,
  EntityTypeOptions,
  ListOf,
} from './types.ts';

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      larder: LarderPlugin<Types>;
    }

    export interface SchemaBuilder<Types extends SchemaTypes> {
      /**
       * Declares the GraphQL type of an entity: a Node, loaded by id in batches through the entity's repository.
       *
       * @param name the entity's name
       * @param options the type's description and fields
       * @returns the type, for other fields
       */
      entity: <Name extends EntityName<Types>>(
        name: Name,
        options: EntityTypeOptions<Types, Name>,
      ) => EntityRef<Types, Name>;
    }

    export interface RootFieldBuilder<Types extends SchemaTypes, ParentShape, Kind extends FieldKind = FieldKind> {
      /**
       * A field that answers the entity with a global id, its argument `id`; `null` when there is none.
       *
       * @param name the entity's name
       * @param options the field's description
       */
      entityById: <Name extends EntityName<Types>>(
        name: Name,
        options?: EntityByIdOptions<Types, ParentShape>,
      ) => FieldRef<Types, EntityNode<EntityOf<Types, Name>> | null, Kind>;

      /**
       * A field that answers the entity with a value in a unique column; `null` when there is none. The value is its argument, which has
       * the column's name in the entity's option `by`.
       *
       * @param name the entity's name
       * @param by the column's name
       * @param options the field's description
       */
      entityBy: <Name extends EntityName<Types>>(
        name: Name,
        by: ByOf<Types, Name>,
        options?: EntityByIdOptions<Types, ParentShape>,
      ) => FieldRef<Types, EntityNode<EntityOf<Types, Name>> | null, Kind>;

      /**
       * A field that answers the entity whose database id the parent holds. The entity is not read when the query selects only what follows
       * from the id.
       *
       * @param name the entity's name
       * @param options where the id is: a field of the parent, or a function of it
       */
      entityReference: <Name extends EntityName<Types>>(
        name: Name,
        options: EntityReferenceOptions<Types, ParentShape>,
      ) => FieldRef<Types, EntityNode<EntityOf<Types, Name>> | null, Kind>;

      /**
       * A field that pages through a list of entities (Relay Cursor Connections). The lists of all parents on a level share a statement.
       *
       * @param name the listed entity's name
       * @param options which list, in which order
       */
      entityConnection: <
        Name extends EntityName<Types>,
        Args extends InputFieldMap = Record<never, never>,
        const List extends ListOf<Types, Name> = 'all' & ListOf<Types, Name>,
      >(
        name: Name,
        options?: EntityConnectionOptions<Types, ParentShape, Name, Args, List>,
      ) => FieldRef<Types, Connection<EntityOf<Types, Name>> | null, Kind>;
    }
  }
}
