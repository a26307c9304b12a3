import { type FieldNode, type GraphQLField, getArgumentValues, isNonNullType, Kind, valueFromAST } from 'graphql';

/** Reads the arguments of a field. */
export interface ArgumentsReader {
  /**
   * @param variables the coerced variables
   * @returns the arguments
   * @throws {GraphQLError} when one that must have a value gets null
   */
  readonly read: (variables: Record<string, unknown>) => Record<string, unknown>;
  /** Whether they are read for each call of the resolver. An object that a literal stands for is then the call's own, which may change it. */
  readonly isForEachCall: boolean;
}

/**
 * @param field a field
 * @param node the node that selects it
 * @returns reads the field's arguments
 */
export function argumentsReader(field: GraphQLField<unknown, unknown>, node: FieldNode): ArgumentsReader {
  const whole = (variables: Record<string, unknown>) => getArgumentValues(field, node, variables);
  const parts = field.args.map(({ name, type, defaultValue }) => {
    const value = node.arguments?.find((argument) => argument.name.value === name)?.value;
    const isRequired = isNonNullType(type);
    if (value?.kind === Kind.VARIABLE) return { name, variable: value.name.value, isRequired, fixed: undefined };
    if (value === undefined) return { name, variable: null, isRequired, fixed: defaultValue };
    // It may contain variables.
    if (value.kind === Kind.LIST || value.kind === Kind.OBJECT) return null;
    const fixed = valueFromAST(value, type);
    return typeof fixed === 'object' && fixed !== null ? null : { name, variable: null, isRequired, fixed };
  });
  const simple = parts.filter((part) => part !== null);
  if (simple.length < parts.length) return { read: whole, isForEachCall: true };
  if (simple.every(({ variable }) => variable === null)) {
    const fixed = whole({});
    return { read: () => fixed, isForEachCall: false };
  }
  // The variables are coerced, so an argument that is one of them has its value.
  const read = (variables: Record<string, unknown>) => {
    const values: Record<string, unknown> = {};
    for (const { name, variable, isRequired, fixed } of simple) {
      const value = variable === null ? fixed : variables[variable];
      // graphql-js knows the default, or the error.
      if (variable !== null && (value === undefined || (value === null && isRequired))) return whole(variables);
      if (value !== undefined) values[name] = value;
    }
    return values;
  };
  return { read, isForEachCall: false };
}
