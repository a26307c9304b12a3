import SchemaBuilder, { type SchemaTypes } from '@pothos/core';
import '@pothos/plugin-relay';
import type { LarderContext } from '../repository/context.ts';
import { addedOptions } from './added-options.ts';
import { entityType, entityTypes } from './entity-types.ts';
import { pluginName } from './plugin.ts';
import { bothScopes } from './scopes.ts';
import { FROM_ID } from './selection.ts';
import type { EntityName, EntityTypeOptions } from './types.ts';

const prototype = SchemaBuilder.prototype as PothosSchemaTypes.SchemaBuilder<SchemaTypes>;
const { nodeInterfaceRef } = prototype;

// The Relay plugin adds a `node` and `nodes` of its own when this is first called, which may be before there is an entity.
prototype.nodeInterfaceRef = function ownNodeFields(this: PothosSchemaTypes.SchemaBuilder<SchemaTypes>) {
  if (this.options.plugins?.includes(pluginName)) entityTypes(this);
  return nodeInterfaceRef.call(this);
};

prototype.entity = function entity<Name extends EntityName<SchemaTypes>>(
  this: PothosSchemaTypes.SchemaBuilder<SchemaTypes>,
  name: Name,
  options: EntityTypeOptions<SchemaTypes, Name>,
) {
  const type = entityType(this, options.name ?? name, name);
  if (type.implemented) {
    throw new TypeError(`builder.entity('${name}') was called before: give the second type a name of its own.`);
  }
  const {
    name: _name,
    fields,
    extensions,
    ...rest
  } = options as typeof options & { extensions?: object; authScopes?: unknown; skipInterfaceScopes?: boolean };
  const { relay } = this.options;
  // scope-auth asks the entity for both. Its pages and edges are no nodes.
  const { authScopes: ofNodes } = (relay?.nodeTypeOptions ?? {}) as { authScopes?: unknown };
  for (const scopes of [rest.authScopes, rest.skipInterfaceScopes === true ? undefined : ofNodes]) {
    if (typeof scopes === 'function') type.isHiddenOneByOne = true;
    else type.authScopes = bothScopes(this.options, type.authScopes, scopes);
  }
  type.implemented = true;
  type.ref.implement({
    ...rest,
    extensions: { ...extensions, larderEntity: name },
    interfaces: [this.nodeInterfaceRef()],
    // For the Relay plugin's t.node and t.nodeList. A node says its type itself, and is frozen: it takes no brand.
    loadManyWithoutCache: (ids: readonly unknown[], context: LarderContext) =>
      Promise.all(ids.map((id) => type.load(String(id), context))),
    brandLoadedObjects: false,
    fields: (t: PothosSchemaTypes.ObjectFieldBuilder<SchemaTypes, unknown>) => ({
      // Pothos' own global id field is async, and therefore slow.
      [relay?.idFieldName ?? 'id']: t.exposeID('id' as never, {
        description: 'The global id.',
        ...addedOptions(relay?.idFieldOptions),
        nullable: false,
        extensions: FROM_ID,
      }),
      ...fields(t as never),
    }),
  } as never);
  return type as never;
};
