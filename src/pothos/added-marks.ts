import SchemaBuilder, {
  BasePlugin,
  type BuildCache,
  type MergedPlugins,
  type PothosOutputFieldConfig,
  type SchemaTypes,
} from '@pothos/core';
import { KEPT, READ } from './selection.ts';

type Builder = PothosSchemaTypes.SchemaBuilder<SchemaTypes>;

/** The options that Pothos itself and Larder give to types and fields. */
const PLAIN: ReadonlySet<string> = new Set([
  ...['description', 'deprecationReason', 'extensions', 'astNode'],
  ...['name', 'fields', 'interfaces', 'isTypeOf', 'resolveType', 'loadManyWithoutCache', 'brandLoadedObjects'],
  ...['type', 'nullable', 'args', 'resolve', 'subscribe'],
]);

/** The options of scope-auth that it asks about each object. */
const SCOPES: ReadonlySet<string> = new Set(['authScopes', 'grantScopes']);

/** The plugins whose wrapped resolvers do nothing for other options than those of scope-auth. */
const KNOWN: ReadonlySet<string> = new Set(['larder', 'relay', 'dataloader', 'errors', 'scopeAuth']);

/** All registered plugins. The type that Pothos exports hides them. */
const { plugins: REGISTERED } = SchemaBuilder as unknown as {
  readonly plugins: Readonly<Record<string, { readonly prototype: BasePlugin<SchemaTypes> } | undefined>>;
};

/** How deep the data in an option may be. */
const DEPTH = 8;

/**
 * @param builder the builder
 * @param options the options of a type or a field
 * @param isShared whether all pages or nodes have these options, which are read only for those that can look at an object
 * @returns the extensions that say what other plugins need for their options
 */
export function marksOf(builder: Builder, options: object, isShared: boolean): object {
  const added = Object.entries(options).filter(([key]) => !PLAIN.has(key));
  if (added.length === 0) return {};
  const isAny = ([key, value]: readonly [string, unknown]) =>
    !isData(value, DEPTH) || (!SCOPES.has(key) && othersResolve(builder));
  if (!isShared || added.some(isAny)) return READ;
  return added.some(([key]) => SCOPES.has(key)) ? KEPT : {};
}

/** Whether a value is data alone, such as a map of scopes or the arguments of a directive. Anything else may be a function of an object. */
function isData(value: unknown, depth: number): boolean {
  if (typeof value === 'function' || depth === 0) return false;
  if (typeof value !== 'object' || value === null) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((inner) => isData(inner, depth - 1));
}

/** Whether a plugin that Larder does not know wraps resolvers. Then any option may be one that it heeds. */
function othersResolve({ options }: Builder): boolean {
  return (options.plugins ?? []).some(
    (name) => !KNOWN.has(name) && REGISTERED[name]?.prototype.wrapResolve !== BasePlugin.prototype.wrapResolve,
  );
}

/**
 * Watches which resolvers are wrapped by plugins that Larder does not know, with an option or without.
 *
 * @param buildCache the schema that is going to be built
 * @param onWrapped told of each field whose resolver one of them wraps
 */
export function watchWrapped<Types extends SchemaTypes>(
  { plugin }: BuildCache<Types>,
  onWrapped: (field: PothosOutputFieldConfig<Types>) => void,
): void {
  const { plugins } = plugin as MergedPlugins<Types>;
  for (const each of plugins) {
    if (KNOWN.has(each.name)) continue;
    // A plugin may count the fields that it wraps, so it is not asked twice.
    const wrap = each.wrapResolve.bind(each);
    each.wrapResolve = (resolver, field) => {
      const wrapped = wrap(resolver, field);
      if (wrapped !== resolver) onWrapped(field);
      return wrapped;
    };
  }
}
