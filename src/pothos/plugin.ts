import SchemaBuilder, {
  BasePlugin,
  type PothosOutputFieldConfig,
  type PothosTypeConfig,
  type SchemaTypes,
} from '@pothos/core';
import { GraphQLSchema, isObjectType } from 'graphql';
import { checkImplemented, checkListable, scopesOf } from './entity-types.ts';
import { readProperty } from './property.ts';

/** What happens to the schema of a builder with entities when it is built. */
export class LarderPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override beforeBuild(): void {
    checkImplemented(this.builder as never);
  }

  override onTypeConfig(config: PothosTypeConfig): PothosTypeConfig {
    const authScopes = scopesOf(this.builder as never, config.name);
    if (authScopes === undefined) return config;
    return { ...config, pothosOptions: Object.assign({}, config.pothosOptions, { authScopes }) } as PothosTypeConfig;
  }

  override onOutputFieldConfig(config: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const listed = config.extensions?.listOf;
    const { authScopes } = config.pothosOptions as { authScopes?: unknown };
    if (typeof listed === 'string' && authScopes === undefined) {
      checkListable(this.builder as never, `${config.parentType}.${config.name}`, listed);
    }
    return config;
  }

  override afterBuild(schema: GraphQLSchema): GraphQLSchema {
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type) || type.name.startsWith('__')) continue;
      // What checks the scopes is in the resolvers.
      if (scopesOf(this.builder as never, type.name) !== undefined) continue;
      for (const field of Object.values(type.getFields())) readProperty(field);
    }
    return withoutEmptyMutation(schema);
  }
}

/** A root of which no field is left makes a schema invalid, so that whoever has no mutations need not declare less. */
function withoutEmptyMutation(schema: GraphQLSchema): GraphQLSchema {
  const mutation = schema.getMutationType();
  if (mutation == null || Object.keys(mutation.getFields()).length > 0) return schema;
  const { types, ...config } = schema.toConfig();
  return new GraphQLSchema({ ...config, mutation: null, types: types.filter((type) => type !== mutation) });
}

/** The plugin's name, for a builder's `plugins`. */
export const pluginName = 'larder';

SchemaBuilder.registerPlugin(pluginName, LarderPlugin);
