import type { FieldMap, InputFieldMap, InputShapeFromFields, ObjectRef, SchemaTypes } from '@pothos/core';
import type { FindBy } from '../repository/find-by.ts';
import type { Repository } from '../repository/repository.ts';
import type { ConnectionSource } from './connection.ts';
import type { Connection, EdgeShape, EntityNode } from './shapes.ts';

/** The repositories in a builder's contexts, by the names of their entities. */
export type RepositoriesOf<Types extends SchemaTypes> = Types['Context'] extends { readonly repositories: infer R }
  ? R
  : never;

/** The names of the entities that a builder may show. */
export type EntityName<Types extends SchemaTypes> = keyof RepositoriesOf<Types> & string;

/** An entity by its name. */
export type EntityOf<Types extends SchemaTypes, Name> = Name extends keyof RepositoriesOf<Types>
  ? RepositoriesOf<Types>[Name] extends Repository<infer E, infer _Lists, infer _New>
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
  ? RepositoriesOf<Types>[Name] extends Repository<infer _E, infer Lists, infer _New>
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

/** The types of the filters of an entity's list, by their names. */
export type FiltersOf<Types extends SchemaTypes, Name, List> = Name extends keyof RepositoriesOf<Types>
  ? RepositoriesOf<Types>[Name] extends { readonly listFilters?: infer Filters }
    ? List extends keyof NonNullable<Filters>
      ? NonNullable<Filters>[List]
      : never
    : Readonly<Record<string, unknown>>
  : never;

/** The parent of an entity's list: needed where the list has one. */
export type ParentOf<Types extends SchemaTypes, Name, List> = Name extends keyof RepositoriesOf<Types>
  ? RepositoriesOf<Types>[Name] extends { readonly listParents?: infer Parented }
    ? List extends Parented
      ? { readonly parent: string | null }
      : { readonly parent?: null | undefined }
    : Pick<ConnectionSource, 'parent'>
  : never;

/** The list of an entity that a connection pages through, with its parent, order and filters. */
export type SourceOf<Types extends SchemaTypes, Name> = {
  readonly [List in ListOf<Types, Name>]: Omit<ConnectionSource<List>, 'parent' | 'order' | 'filters'> &
    ParentOf<Types, Name, List> & {
      readonly order: OrderOf<Types, Name, List>;
      readonly filters?: FiltersOf<Types, Name, List> | undefined;
    };
}[ListOf<Types, Name>];

/** An id in a column of a foreign key. */
export type DatabaseId = string | number | bigint;

/** A field of a parent that holds an id, or a function that gives one. */
export type IdOf<Parent> =
  | { [Field in keyof Parent]: Parent[Field] extends DatabaseId | null ? Field : never }[keyof Parent]
  | ((parent: Parent) => DatabaseId | null);

/** The type of an entity, for fields of other types and for payloads of mutations. */
export interface EntityRef<Types extends SchemaTypes, Name extends EntityName<Types>> {
  /** The type's name. */
  readonly name: string;
  /** For fields that answer a node, or a database id, which is then loaded. */
  readonly ref: ObjectRef<Types, string | EntityNode<EntityOf<Types, Name>>, EntityNode<EntityOf<Types, Name>>>;
  /** For fields of your own, which get the edge with its node and its cursor. */
  readonly edge: ObjectRef<Types, EdgeShape<EntityOf<Types, Name>>>;
  /** For fields of your own, which get the page with all but `totalCount`: that is `null` where the query does not select it. */
  readonly connection: ObjectRef<Types, Connection<EntityOf<Types, Name>>>;
}

/**
 * The options of `builder.entity`, with those of other plugins. With any of the latter, an entity is read even where its id would do, since
 * the plugin may look into it.
 *
 * `authScopes` (scope-auth) of a type guards its pages and edges, too, unless it is a function of the entity. A list must not show rows
 * that are hidden one by one: a page with a hidden row is null, and counts include hidden rows.
 */
export type EntityTypeOptions<Types extends SchemaTypes, Name extends EntityName<Types>> = Omit<
  PothosSchemaTypes.ObjectTypeOptions<Types, EntityNode<EntityOf<Types, Name>>>,
  'name' | 'fields' | 'interfaces' | 'isTypeOf'
> & {
  /** The type's name, where it differs from the entity's. Several types may show an entity. */
  readonly name?: string;
  /** The type's fields; `id` and the Node interface are added. */
  readonly fields: (t: PothosSchemaTypes.ObjectFieldBuilder<Types, EntityNode<EntityOf<Types, Name>>>) => FieldMap;
};

/** The options of `t.entityById`, with those of other plugins. */
export type EntityByIdOptions<Types extends SchemaTypes, Parent> = Omit<
  PothosSchemaTypes.FieldOptions<Types, Parent>,
  'type' | 'args' | 'nullable'
> & {
  /** The type that shows the entity, where its name differs from the entity's. */
  readonly type?: string;
};

/** The options of `t.entityReference`. */
export type EntityReferenceOptions<Types extends SchemaTypes, Parent> = EntityByIdOptions<Types, Parent> & {
  /** Where the other entity's database id is. */
  readonly id: IdOf<Parent>;
};

/** The options of `t.entityConnection`: a list by its name, or a function that chooses one. */
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
        /** The list; `all` when it is left out. A list with a parent is that of the field's own parent. */
        readonly list?: List;
        /** One of the list's orders; the first when it is left out. */
        readonly order?: OrderOf<Types, Name, List>;
        readonly direction?: 'ASC' | 'DESC';
        readonly source?: never;
      }
    | {
        /**
         * The list, by the parent and the arguments. It is asked with the parent's ids alone where the parent has not been read, and once
         * more, when the parent has been read, if it looks at anything else.
         */
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
