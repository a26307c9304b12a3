import { wrongDeclaration } from '../entity/check-declaration.ts';
import { type Builder, EntityType } from './entity-type.ts';
import { addNodeFields } from './node.ts';

/** The entity types of one builder, by their names. */
const typesOfBuilders = new WeakMap<object, Map<string, EntityType>>();

/** The plugins that a builder with entities has, by their names, and where they come from. */
const PLUGINS = Object.entries({
  relay: '@pothos/plugin-relay',
  dataloader: '@pothos/plugin-dataloader',
  larder: 'larder/pothos',
});

/**
 * The entity types of a builder. The first look adds `node` and `nodes` to its query type.
 *
 * @param builder the builder
 * @returns its entity types, by their names
 * @throws {TypeError} naming a plugin that its `plugins` lack. Its methods are there once it is imported, but would do half of their work
 */
export function entityTypes(builder: Builder): Map<string, EntityType> {
  let types = typesOfBuilders.get(builder);
  if (types === undefined) {
    const plugins: readonly string[] = builder.options.plugins ?? [];
    const lacking = PLUGINS.flatMap(([name, from]) => (plugins.includes(name) ? [] : [from]));
    if (lacking.length > 0) {
      const expected = `plugins with the default export of ${lacking.join(' and of ')}`;
      throw wrongDeclaration('new SchemaBuilder', expected, plugins.join(', ') || 'none', 'two-entities');
    }
    types = new Map();
    typesOfBuilders.set(builder, types);
    addNodeFields(builder, (typename) => types?.get(typename)?.load);
  }
  return types;
}

/**
 * @param builder the builder
 * @param name the type's name
 * @param entity the name of the entity that it shows; `name` when it is left out
 * @returns the type, which may get its fields later, since types may refer to each other
 */
export function entityType(builder: Builder, name: string, entity: string = name): EntityType {
  const types = entityTypes(builder);
  let type = types.get(name);
  if (type === undefined) {
    type = new EntityType(builder, name, entity);
    types.set(name, type);
  }
  return type;
}

/**
 * @param builder a builder whose schema is being built
 * @param name the name of a type
 * @returns the scopes of the entity's type, when `name` is that of its pages or edges; `undefined` for others
 */
export function scopesOf(builder: Builder, name: string): unknown {
  return listedIn(builder, name)?.authScopes;
}

/**
 * @param builder a builder whose schema is being built
 * @param name the name of a type
 * @returns whether it is the type of pages, edges, `pageInfo` or nodes, for which the Relay plugin takes options
 */
export function isOfRelay(builder: Builder, name: string): boolean {
  const { pageInfoTypeOptions, nodeTypeOptions } = builder.options.relay ?? {};
  const names = [pageInfoTypeOptions?.name ?? 'PageInfo', nodeTypeOptions?.name ?? 'Node'];
  return names.includes(name) || listedIn(builder, name) !== undefined;
}

/** The entity's type whose pages or edges are of a type. */
function listedIn(builder: Builder, name: string): EntityType | undefined {
  const listed = /^(.+)(?:Connection|Edge)$/.exec(name)?.[1];
  return listed === undefined ? undefined : typesOfBuilders.get(builder)?.get(listed);
}

/**
 * @param builder a builder whose schema is being built
 * @param field the field, such as `Query.books`
 * @param name the entity type that it lists
 * @throws {TypeError} when the list has no scopes but its type's scopes depend on the entity: the list would count hidden entities
 */
export function checkListable(builder: Builder, field: string, name: string): void {
  if (typesOfBuilders.get(builder)?.get(name)?.isHiddenOneByOne !== true) return;
  const why = `since its own are a function of the entity, which the list's count and cursors would tell of`;
  throw wrongDeclaration(field, `authScopes for a list of ${name}, ${why}`, 'none', 'permissions');
}

/**
 * @param builder a builder whose schema is about to be built
 * @throws {TypeError} when a field refers to an entity that has no type
 */
export function checkImplemented(builder: Builder): void {
  for (const { name, implemented } of typesOfBuilders.get(builder)?.values() ?? []) {
    if (!implemented) throw new TypeError(`A field refers to ${name}: expected builder.entity('${name}', { … }).`);
  }
}
