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
 * @throws {NotAsPlanned} when the value is an error or a promise
 * @throws what the type's `serialize` throws
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
    if (typeof value === 'function' || value instanceof Promise || value instanceof Error) throw new NotAsPlanned();
    const serialized: unknown = leaf.serialize(value);
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
