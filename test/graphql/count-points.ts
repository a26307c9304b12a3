import {
  defaultFieldResolver,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  isObjectType,
} from 'graphql';
import { pageSizeOf } from '../../src/pothos/connection.ts';

/** What an execution by graphql-js did, counted field by field while it ran: the price must not be less. */
export class PointCount {
  points = 0;
  /** Whether every page had all entries that it may have, and nothing was missing: then the price is exactly this. */
  isFull = true;
  readonly #named = new Map<string, number>();

  /** Counts a field that was resolved. */
  count(value: unknown, args: Record<string, unknown>, info: GraphQLResolveInfo, page: number | null): void {
    const { fieldName, parentType, returnType, path } = info;
    const isComposite = isCompositeType(getNamedType(returnType));
    if (isComposite && value == null) this.isFull = false;
    if (isComposite && isListType(getNullableType(returnType))) {
      const entries = Array.isArray(value) ? value : [];
      const expected = Array.isArray(args.ids) ? args.ids.length : page;
      if (entries.length !== expected || entries.includes(null)) this.isFull = false;
      this.points += entries.filter((entry) => entry != null).length + (fieldName === 'nodes' && 'ids' in args ? 1 : 0);
      return;
    }
    // What comes with its object comes once; under another key it is had again.
    const comesWith = !isComposite || fieldName === 'node';
    if (!comesWith || parentType.name === 'Query') {
      this.points += value == null && fieldName !== 'node' ? 0 : 1;
      return;
    }
    const place = `${placeOf(path.prev)} ${fieldName}`;
    const before = this.#named.get(place) ?? 0;
    this.#named.set(place, before + 1);
    this.points += before > 0 || fieldName === 'totalCount' ? 1 : 0;
  }
}

function placeOf(path: GraphQLResolveInfo['path'] | undefined): string {
  return path === undefined ? '' : `${placeOf(path.prev)}.${path.key}`;
}

/**
 * Makes every resolver of a schema tell what it did.
 *
 * @param schema the schema, which is changed
 * @param countOf the count of a context
 * @returns the schema
 */
export function withPointCount(schema: GraphQLSchema, countOf: (context: object) => PointCount): GraphQLSchema {
  const sizes = new WeakMap<object, number>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const resolve = field.resolve ?? defaultFieldResolver;
      field.resolve = async (source: unknown, args: Record<string, unknown>, context: object, info) => {
        const value: unknown = await resolve(source, args, context, info);
        const page = typeof source === 'object' && source !== null ? (sizes.get(source) ?? null) : null;
        if (typeof value === 'object' && value !== null && getNamedType(info.returnType).name.endsWith('Connection')) {
          sizes.set(value, pageSizeOf(args));
        }
        countOf(context).count(value, args, info, page);
        return value;
      };
    }
  }
  return schema;
}
