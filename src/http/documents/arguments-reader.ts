import {
  type FieldNode,
  type GraphQLField,
  getArgumentValues,
  isNonNullType,
  Kind,
  valueFromAST,
  type ValueNode,
} from 'graphql';

/**
 * @param field a field
 * @param node the node that selects it
 * @returns reads the field's arguments from the coerced variables; throws a GraphQLError when one that must have a value gets null
 */
export function argumentsReader(
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
): (variables: Record<string, unknown>) => Record<string, unknown> {
  const changing = node.arguments?.filter(hasVariable) ?? [];
  if (changing.length === 0) {
    const fixed = getArgumentValues(field, node, {});
    return () => fixed;
  }
  const whole = (variables: Record<string, unknown>) => getArgumentValues(field, node, variables);
  if (!changing.every(({ value }) => value.kind === Kind.VARIABLE)) return whole;
  // The variables are coerced, so an argument that is one of them has its value.
  const parts = field.args.map(({ name, type, defaultValue }) => {
    const value = node.arguments?.find((argument) => argument.name.value === name)?.value;
    const isRequired = isNonNullType(type);
    if (value?.kind === Kind.VARIABLE) return { name, variable: value.name.value, isRequired, fixed: undefined };
    return { name, variable: null, isRequired, fixed: value === undefined ? defaultValue : valueFromAST(value, type) };
  });
  return (variables) => {
    const values: Record<string, unknown> = {};
    for (const { name, variable, isRequired, fixed } of parts) {
      const value = variable === null ? fixed : variables[variable];
      // graphql-js knows the default, or the error.
      if (variable !== null && (value === undefined || (value === null && isRequired))) return whole(variables);
      if (value !== undefined) values[name] = value;
    }
    return values;
  };
}

function hasVariable({ value }: { readonly value: ValueNode }): boolean {
  const left = [value];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (node.kind === Kind.VARIABLE) return true;
    if (node.kind === Kind.LIST) left.push(...node.values);
    else if (node.kind === Kind.OBJECT) left.push(...node.fields.map((field) => field.value));
  }
  return false;
}
