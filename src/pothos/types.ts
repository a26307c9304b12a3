import type { FieldMap, InputFieldMap, InputShapeFromFields, ObjectRef, SchemaTypes } from '@pothos/core';
import type { FindBy } from '../repository/find-by.ts';
import type { Repository } from '../repository/repository.ts';
import type { ConnectionSource } from './connection.ts';
import type { Connection, EdgeShape } from './connection-shape.ts';
import type { EntityNode } from './entity-node.ts';

/** The repositories that a builder's contexts have, by the names of their entities. */
export type RepositoriesOf<Types extends SchemaTypes> = Types['Context'] extends { readonly repositories: infer R }
  ? R
  : never;

/** The names of the entities that a builder may show. */
export type EntityName<Types extends SchemaTypes> = keyof RepositoriesOf<Types> & string;

/** An entity by its name. */
export type EntityOf<Types extends SchemaTypes, Name> = Name extends keyof RepositoriesOf<Types>
  ? RepositoriesOf<Types>[Name] extends Repository<infer E, infer _Lists>
    ? E
    : never
  : never;

/** The names of the columns that an entity is found by beside its key. */
export type ByOf<Types extends SchemaTypes, Name> = Name extends keyof RepositoriesOf<Types>
  ? RepositoriesOf<Types>[Name] extends FindBy<infer _E, infer By>
    ? By
    : never
  : never;

/** The names of an entity's lists. */
export type ListOf<Types extends SchemaTypes, Name> = Name extends keyof RepositoriesOf<Types>
  ? RepositoriesOf<Types>[Name] extends Repository<infer _E, infer Lists>
    ? Lists
    : never
  : never;

/** The names of the orders of one of an entity's lists. */
export type OrderOf<Types extends SchemaTypes, Name, List> = Name extends keyof RepositoriesOf<Types>
  ? RepositoriesOf<Types>[Name] extends { readonly listOrders?: infer Orders }
    ? List extends keyof NonNullable<Orders>
      ? NonNullable<Orders>[List]
      : never
    : string
  : never;

/** What the filters of one of an entity's lists take, by their names. */
export type FiltersOf<Types extends SchemaTypes, Name, List> = Name extends keyof RepositoriesOf<Types>
  ? RepositoriesOf<Types>[Name] extends { readonly listFilters?: infer Filters }
    ? List extends keyof NonNullable<Filters>
      ? NonNullable<Filters>[List]
      : never
    : Readonly<Record<string, unknown>>
  : never;

/** Which of an entity's lists a connection pages through, and what of it. */
export type SourceOf<Types extends SchemaTypes, Name> = {
  readonly [List in ListOf<Types, Name>]: Omit<ConnectionSource<List>, 'order' | 'filters'> & {
    readonly order: OrderOf<Types, Name, List>;
    readonly filters?: FiltersOf<Types, Name, List> | undefined;
  };
}[ListOf<Types, Name>];

/** An id as a column of a foreign key may hold it. */
export type DatabaseId = string | number | bigint;

/** A field of a parent that holds an id, or a function that tells one. */
export type IdOf<Parent> =
  | { [Field in keyof Parent]: Parent[Field] extends DatabaseId | null ? Field : never }[keyof Parent]
  | ((parent: Parent) => DatabaseId | null);

/** The type of an entity, for fields of other types and for payloads of mutations. */
export interface EntityRef<Types extends SchemaTypes, Name extends EntityName<Types>> {
  /** The type's name. */
  readonly name: string;
  /** For fields that answer a node, or its database id, which is then loaded. */
  readonly ref: ObjectRef<Types, string | EntityNode<EntityOf<Types, Name>>, EntityNode<EntityOf<Types, Name>>>;
  readonly edge: ObjectRef<Types, EdgeShape<EntityOf<Types, Name>>>;
  readonly connection: ObjectRef<Types, Connection<EntityOf<Types, Name>>>;
}

/**
 * What `builder.entity` takes, options of other plugins included: with any of them, entities are read also where an id would do, since they
 * may be looked into. `authScopes` (scope-auth) of a type guards its pages and edges, too, unless they are a function of the entity: rows
 * that are hidden one by one belong into no list that shows the others, for a page with one of them is null, and it counts them.
 */
export type EntityTypeOptions<Types extends SchemaTypes, Name extends EntityName<Types>> = Omit<
  PothosSchemaTypes.ObjectTypeOptions<Types, EntityNode<EntityOf<Types, Name>>>,
  'name' | 'fields' | 'interfaces' | 'isTypeOf'
> & {
  /** The type's name, where it is not the entity's: an entity may be shown by several types. */
  readonly name?: string;
  /** The type's fields; `id` and the Node interface are added. */
  readonly fields: (t: PothosSchemaTypes.ObjectFieldBuilder<Types, EntityNode<EntityOf<Types, Name>>>) => FieldMap;
};

/** What `t.entityById` takes, options of other plugins included. */
export type EntityByIdOptions<Types extends SchemaTypes, Parent> = Omit<
  PothosSchemaTypes.FieldOptions<Types, Parent>,
  'type' | 'args' | 'nullable'
> & {
  /** The type that shows the entity, where it is not of the entity's name. */
  readonly type?: string;
};

/** What `t.entityReference` takes. */
export type EntityReferenceOptions<Types extends SchemaTypes, Parent> = EntityByIdOptions<Types, Parent> & {
  /** Where the other entity's database id is. */
  readonly id: IdOf<Parent>;
};

/** What `t.entityConnection` takes: a list by its name, or what says which one. */
export type EntityConnectionOptions<
  Types extends SchemaTypes,
  Parent,
  Name extends EntityName<Types>,
  Args extends InputFieldMap,
  List extends ListOf<Types, Name> = ListOf<Types, Name>,
> = EntityByIdOptions<Types, Parent> & {
  /** Arguments besides the four of every connection. */
  readonly args?: Args;
} & (
    | {
        /** The list; `all` when it is left out. Where it has a parent, that is the field's own. */
        readonly list?: List;
        /** One of the list's orders; its first when it is left out. */
        readonly order?: OrderOf<Types, Name, List>;
        readonly direction?: 'ASC' | 'DESC';
        readonly source?: never;
      }
    | {
        readonly source: (
          parent: Parent,
          args: InputShapeFromFields<Args>,
          context: Types['Context'],
        ) => SourceOf<Types, Name>;
        readonly list?: never;
        readonly order?: never;
        readonly direction?: never;
      }
  );
