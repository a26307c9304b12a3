import {
  GraphQLBoolean,
  GraphQLID,
  type GraphQLLeafType,
  type GraphQLOutputType,
  GraphQLString,
  isListType,
  isNonNullType,
} from 'graphql';

/** The data differs from the plan: for example, null stands where a value is required. graphql-js knows the right answer then. */
export class NotAsPlanned extends Error {}

/**
 * Writes a value as JSON.
 *
 * @param value the object's value
 * @returns the text
 * @throws {NotAsPlanned} when the value is an error or a promise, or its type refuses it
 */
export type LeafText = (value: unknown) => string;

/**
 * @param type a leaf's type, or a list of such
 * @returns writes its values as graphql-js completes them (GraphQL specification, section 6.4.3)
 */
export function leafText(type: GraphQLOutputType): LeafText {
  if (isNonNullType(type)) {
    const text = valueText(type.ofType);
    return (value) => {
      if (value == null) throw new NotAsPlanned();
      return text(value);
    };
  }
  const text = valueText(type);
  return (value) => (value == null ? 'null' : text(value));
}

/** Writes a value that is not null. */
function valueText(type: GraphQLOutputType): LeafText {
  if (isListType(type)) {
    const text = leafText(type.ofType as GraphQLOutputType);
    return (value) => {
      if (!Array.isArray(value)) throw new NotAsPlanned();
      return `[${value.map(text).join()}]`;
    };
  }
  const leaf = type as GraphQLLeafType;
  const other: LeafText = (value) => {
    if (typeof value === 'function' || isThenable(value) || value instanceof Error) throw new NotAsPlanned();
    const serialized = serialize(leaf, value);
    const text = serialized == null ? undefined : (JSON.stringify(serialized) as string | undefined);
    if (text === undefined) throw new NotAsPlanned();
    return text;
  };
  if (leaf === GraphQLString || leaf === GraphQLID) {
    return (value) => (typeof value === 'string' ? JSON.stringify(value) : other(value));
  }
  if (leaf === GraphQLBoolean) return (value) => (typeof value === 'boolean' ? String(value) : other(value));
  return other;
}

function serialize(leaf: GraphQLLeafType, value: unknown): unknown {
  try {
    return leaf.serialize(value);
  } catch (cause) {
    throw new NotAsPlanned('The type refuses a value.', { cause });
  }
}

/**
 * @param value a value
 * @returns whether it is a promise, also one that is not of JavaScript's own class: query builders and wrapped resolvers return such
 */
export function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
