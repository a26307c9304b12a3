import SchemaBuilder, {
  BasePlugin,
  type PothosOutputFieldConfig,
  type PothosTypeConfig,
  type SchemaTypes,
} from '@pothos/core';
import { GraphQLSchema, isObjectType } from 'graphql';
import { marksOf, watchWrapped } from './added-marks.ts';
import { addedOptions } from './added-options.ts';
import { checkImplemented, checkListable, isOfRelay, scopesOf } from './entity-types.ts';
import { readProperty } from './property.ts';
import { bothScopes } from './scopes.ts';
import { isAlwaysRead } from './selection.ts';

/** Changes the schema of a builder with entities when it is built. */
export class LarderPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  /** The fields whose resolver another plugin wraps, such as `BookConnection.nodes`. */
  readonly #wrapped = new Set<string>();

  /** @throws {TypeError} when a field refers to an entity that has no type */
  override beforeBuild(): void {
    checkImplemented(this.builder as never);
    watchWrapped(this.buildCache, ({ parentType, name }) => this.#wrapped.add(`${parentType}.${name}`));
  }

  /**
   * @param config a type of the schema
   * @returns the same, marked where its objects must be read, and guarded by the scopes of the entity whose pages or edges it shows
   */
  override onTypeConfig(config: PothosTypeConfig): PothosTypeConfig {
    if (config.graphqlKind !== 'Object' && config.graphqlKind !== 'Interface') return config;
    const pothosOptions: { readonly authScopes?: unknown } = config.pothosOptions as object;
    const marks = marksOf(this.builder as never, pothosOptions, isOfRelay(this.builder as never, config.name));
    const marked = { ...config, extensions: { ...config.extensions, ...marks } };
    const ofEntity = scopesOf(this.builder as never, config.name);
    if (ofEntity === undefined) return marked;
    // Pothos' Relay plugin may have been given others, for all pages or edges.
    const both = { authScopes: bothScopes(this.builder.options, ofEntity, pothosOptions.authScopes) };
    return { ...marked, pothosOptions: { ...pothosOptions, ...both } } as PothosTypeConfig;
  }

  /**
   * @param config a field of the schema
   * @returns the same, marked where its parent must be read
   * @throws {TypeError} when the field lists entities that nobody can count
   */
  override onOutputFieldConfig(config: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const field = this.#guardedList(config);
    // Options of other plugins may look into the parent. t.withAuth(…).entityConnection(…) gives them after Larder's method.
    const { extensions, pothosOptions, parentType } = field;
    const isId = extensions?.fromId === true && extensions.listOf === undefined;
    const marks = marksOf(this.builder as never, pothosOptions, isId || isOfRelay(this.builder as never, parentType));
    return { ...field, extensions: { ...extensions, ...marks } };
  }

  /** Adds the scopes of all lists to those that a list of entities has of its own or by t.withAuth(…). */
  #guardedList(config: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const listed = config.extensions?.listOf;
    if (typeof listed !== 'string') return config;
    const { options } = this.builder;
    const ofLists: { readonly authScopes?: unknown } = addedOptions(options.relay?.defaultConnectionFieldOptions);
    const { authScopes: own } = config.pothosOptions as { readonly authScopes?: unknown };
    const authScopes = bothScopes(options, ofLists.authScopes, own);
    if (authScopes === undefined) {
      checkListable(this.builder as never, `${config.parentType}.${config.name}`, listed);
      return config;
    }
    return { ...config, pothosOptions: { ...config.pothosOptions, authScopes } } as PothosOutputFieldConfig<Types>;
  }

  /**
   * @param schema the built schema
   * @returns the same, without resolvers that only read a property, and without an empty mutation root
   */
  override afterBuild(schema: GraphQLSchema): GraphQLSchema {
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type) || type.name.startsWith('__')) continue;
      // The resolver checks the scopes, so it must stay.
      const isKept = type.extensions.isKept === true || isAlwaysRead(type);
      if (isKept || scopesOf(this.builder as never, type.name) !== undefined) continue;
      for (const field of Object.values(type.getFields())) {
        if (!this.#wrapped.has(`${type.name}.${field.name}`)) readProperty(field);
      }
    }
    return withoutEmptyMutation(schema);
  }
}

/** Drops a mutation root without fields, which would make the schema invalid. So a builder without mutations need not omit the root. */
function withoutEmptyMutation(schema: GraphQLSchema): GraphQLSchema {
  const mutation = schema.getMutationType();
  if (mutation == null || Object.keys(mutation.getFields()).length > 0) return schema;
  const { types, ...config } = schema.toConfig();
  return new GraphQLSchema({ ...config, mutation: null, types: types.filter((type) => type !== mutation) });
}

/** The plugin's name, for a builder's `plugins`. */
export const pluginName = 'larder';

SchemaBuilder.registerPlugin(pluginName, LarderPlugin);
