import { type FieldKind, type InputFieldMap, RootFieldBuilder, type SchemaTypes } from '@pothos/core';
import type { GraphQLResolveInfo } from 'graphql';
import { wrongDeclaration } from '../entity/check-declaration.ts';
import type { Entity } from '../entity/definition.ts';
import type { LarderContext } from '../repository/context.ts';
import { addedOptions } from './added-options.ts';
import type { Shown } from './check-schema.ts';
import { checkSource } from './check-source.ts';
import {
  type ConnectionSource,
  DEFAULT_PAGE_SIZE,
  MAX_PAGE_SIZE,
  type PageArguments,
  pageSizeOf,
  resolvePage,
} from './connection.ts';
import { entityType } from './entity-types.ts';
import { globalIdOf } from './global-id.ts';
import { databaseId } from './node.ts';
import { FROM_ID } from './selection.ts';
import { type EntityNode, nodeOf } from './shapes.ts';
import type { DatabaseId, EntityByIdOptions, EntityConnectionOptions, EntityReferenceOptions } from './types.ts';
import { askUnread } from './unread-node.ts';

type Builder = PothosSchemaTypes.RootFieldBuilder<SchemaTypes, unknown, FieldKind>;

/** A parent of any type. */
type Parent = Partial<EntityNode<Entity>> & Readonly<Record<string, unknown>>;

const prototype = RootFieldBuilder.prototype as Builder;

/** The builder that a field builder belongs to. Pothos' types hide it. */
function builderOf(t: Builder): PothosSchemaTypes.SchemaBuilder<SchemaTypes> {
  return (t as unknown as { builder: PothosSchemaTypes.SchemaBuilder<SchemaTypes> }).builder;
}

prototype.entityById = function entityById(
  this: Builder,
  name: string,
  options: EntityByIdOptions<SchemaTypes, unknown> = {},
) {
  const { type: typename = name, extensions, ...rest } = options;
  const type = entityType(builderOf(this), typename, name);
  return this.field({
    ...rest,
    extensions: { ...extensions, larder: { entity: name } satisfies Shown },
    type: type.ref,
    nullable: true,
    args: { id: this.arg.id({ required: true, extensions: globalIdOf(typename) }) },
    resolve: (_root: unknown, { id }: { id: unknown }) => databaseId(typename, String(id)),
  } as never) as never;
};

prototype.entityBy = function entityBy(
  this: Builder,
  name: string,
  by: string,
  options: EntityByIdOptions<SchemaTypes, unknown> = {},
) {
  const { type: typename = name, extensions, ...rest } = options;
  const type = entityType(builderOf(this), typename, name);
  return this.field({
    ...rest,
    extensions: { ...extensions, larder: { entity: name, by } satisfies Shown },
    type: type.ref,
    nullable: true,
    args: { [by]: this.arg.string({ required: true }) },
    resolve: async (_root: unknown, args: Record<string, string>, context: LarderContext) => {
      const found = await type.repositoryOf(context).findBy(by, args[by] ?? '', context.scope);
      return found === null ? null : nodeOf(typename, found);
    },
  } as never) as never;
};

prototype.entityReference = function entityReference(
  this: Builder,
  name: string,
  options: EntityReferenceOptions<SchemaTypes, unknown>,
) {
  const { type: typename = name, id, extensions, ...rest } = options as EntityReferenceOptions<SchemaTypes, Parent>;
  const type = entityType(builderOf(this), typename, name);
  const idOf = (parent: Parent, { parentType }: GraphQLResolveInfo): DatabaseId | null => {
    if (typeof id === 'function') return id(parent);
    // The `id` of a node is its global id.
    const field = id === 'id' && parentType.extensions.larderEntity !== undefined ? 'databaseId' : (id as string);
    return (parent[field] ?? null) as DatabaseId | null;
  };
  const larder: Shown = { entity: name, ...(typeof id === 'string' ? { id } : {}) };
  return this.field({
    ...rest,
    extensions: { ...extensions, larder },
    type: type.ref,
    nullable: true,
    resolve: (parent: Parent, _args: unknown, context: LarderContext, info: GraphQLResolveInfo) => {
      const other = idOf(parent, info);
      return other === null ? null : type.reference(String(other), info, context);
    },
  } as never) as never;
};

prototype.entityConnection = function entityConnection(this: Builder, name: string, options: unknown = {}) {
  const builder = builderOf(this);
  // Larder's plugin adds the scopes of all lists. t.withAuth(…) gives others only to options without any.
  const { authScopes: _authScopes, ...defaults }: { readonly authScopes?: unknown } = addedOptions(
    builder.options.relay?.defaultConnectionFieldOptions,
  );
  const given = { ...defaults, ...(options as EntityConnectionOptions<SchemaTypes, Parent, string, InputFieldMap>) };
  const { type: typename = name, args = {}, source, list = 'all', order, direction, extensions, ...rest } = given;
  const type = entityType(builder, typename, name);
  const named = (parent: Parent | undefined, context: LarderContext): ConnectionSource => {
    const { hasParent, orders } = type.repositoryOf(context).listOf(list);
    const parentId = parent?.databaseId;
    if (hasParent && parentId === undefined) {
      throw wrongDeclaration(`${name}.${list}`, 'the parent to be an entity', 'another object', 'lists-and-orders');
    }
    return {
      list,
      order: order ?? (orders[0] as string),
      ...(direction === undefined ? {} : { direction }),
      ...(hasParent ? { parent: parentId } : {}),
    };
  };
  const cursor = builder.options.relay?.cursorType ?? 'String';
  const larder: Shown = { entity: name, ...(source === undefined ? { list, order } : {}) };
  return this.field({
    ...rest,
    type: type.connection,
    nullable: true,
    args: {
      first: this.arg.int({
        required: false,
        description: `How many from the start: 0 to ${MAX_PAGE_SIZE}, ${DEFAULT_PAGE_SIZE} if neither is given.`,
      }),
      after: this.arg({ type: cursor, required: false, description: 'Only what comes after this cursor.' }),
      last: this.arg.int({ required: false, description: `How many from the end: 0 to ${MAX_PAGE_SIZE}.` }),
      before: this.arg({ type: cursor, required: false, description: 'Only what comes before this cursor.' }),
      ...args,
    },
    extensions: { ...extensions, ...FROM_ID, entries: pageSizeOf, listOf: typename, larder },
    resolve: (parent: Parent, page: PageArguments, context: LarderContext, info: GraphQLResolveInfo) => {
      const answer = (which: ConnectionSource) => resolvePage(type, which, page, context, info);
      if (source === undefined) return answer(named(parent, context));
      const ask = (of: Parent) => checkSource(type, source(of, page as never, context as never), context);
      const which = askUnread(parent, ask);
      if (which !== undefined) return answer(which);
      // The row may be gone since its id was read.
      const then = (read: unknown) => (read === null ? null : answer(ask(read as Parent)));
      const { __typename, databaseId } = parent as EntityNode<Entity>;
      return Promise.resolve(entityType(builder, __typename).load(databaseId, context)).then(then);
    },
  } as never) as never;
};
