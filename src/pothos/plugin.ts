import SchemaBuilder, { BasePlugin, type SchemaTypes } from '@pothos/core';
import { type GraphQLSchema, isObjectType } from 'graphql';
import { checkImplemented } from './entity-types.ts';
import { readProperty } from './property.ts';

/** What happens to the schema of a builder with entities when it is built. */
export class LarderPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override beforeBuild(): void {
    checkImplemented(this.builder as never);
  }

  override afterBuild(schema: GraphQLSchema): GraphQLSchema {
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type) || type.name.startsWith('__')) continue;
      for (const field of Object.values(type.getFields())) readProperty(field);
    }
    return schema;
  }
}

/** The plugin's name, for a builder's `plugins`. */
export const pluginName = 'larder';

SchemaBuilder.registerPlugin(pluginName, LarderPlugin);
