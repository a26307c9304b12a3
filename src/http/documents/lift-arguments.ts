import {
  type ArgumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  GraphQLScalarType,
  GraphQLSchema,
  getArgumentValues,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type VariableDefinitionNode,
  valueFromAST,
} from 'graphql';
import type { Operation } from './operation.ts';
import { type SelectedField, type SelectedObject, selectedIn } from './selected.ts';

/** The type of the variables that replace arguments. Reading one gives the very value that was put in. */
const COERCED = new GraphQLScalarType({ name: 'Larder__Coerced' });

/** An operation whose arguments are variables, each used once. No value is written in it. */
export interface Lifted extends Operation {
  /**
   * @param variables the coerced variables of the original operation
   * @returns the variables of the lifted one
   * @throws {GraphQLError} when a variable gives null to a required argument
   */
  readonly valuesOf: (variables: Record<string, unknown>) => Record<string, unknown>;
}

/**
 * @param schema a schema
 * @returns the same schema with the type of lifted variables; its other types are the same objects
 */
export function withCoercedType(schema: GraphQLSchema): GraphQLSchema {
  const config = schema.toConfig();
  return new GraphQLSchema({ ...config, types: [...config.types, COERCED] });
}

/**
 * Takes the arguments out of an operation. Each becomes a variable of its own, whose value is what graphql-js makes of the argument. So a
 * compiler has nothing to coerce, no default to fill in, and no text of a client to write into code.
 *
 * @param schema the schema that the operation is valid against
 * @param operation the operation, already cut to its conditions
 * @returns the lifted operation, with nodes of its own
 */
export function liftArguments(schema: GraphQLSchema, operation: Operation): Lifted {
  const fields = new Map<FieldNode, { readonly place: number; readonly selected: SelectedField }>();
  const seen = new Set<SelectedObject>();
  const find = (object: SelectedObject): void => {
    if (seen.has(object)) return;
    seen.add(object);
    for (const selected of object.fields) {
      const [node] = selected.nodes;
      if (node.arguments?.length && !fields.has(node)) fields.set(node, { place: fields.size, selected });
      selected.inside.forEach(find);
    }
  };
  find(selectedIn(schema, operation));

  const variables: VariableDefinitionNode[] = [];
  const liftNode = (node: FieldNode): readonly ArgumentNode[] => {
    const field = fields.get(node);
    // Merged fields have the same arguments, so those of the first are enough.
    if (field === undefined) return [];
    return (node.arguments ?? []).map((argument) => {
      const variable = {
        kind: Kind.VARIABLE as const,
        name: { kind: Kind.NAME as const, value: nameOf(field.place, argument) },
      };
      const type = {
        kind: Kind.NAMED_TYPE as const,
        name: { kind: Kind.NAME as const, value: COERCED.name },
      };
      variables.push({ kind: Kind.VARIABLE_DEFINITION, variable, type });
      return { ...argument, value: variable };
    });
  };
  const liftSet = (set: SelectionSetNode): SelectionSetNode => ({
    ...set,
    selections: set.selections.map((node) => {
      if (node.kind === Kind.FRAGMENT_SPREAD) return { ...node };
      const lifted = node.selectionSet === undefined ? {} : { selectionSet: liftSet(node.selectionSet) };
      return node.kind === Kind.FIELD ? { ...node, ...lifted, arguments: liftNode(node) } : { ...node, ...lifted };
    }),
  });
  const selectionSet = liftSet(operation.definition.selectionSet);
  const fragments: FragmentDefinitionNode[] = operation.fragments.map((fragment) => ({
    ...fragment,
    selectionSet: liftSet(fragment.selectionSet),
  }));
  const definition: OperationDefinitionNode = {
    ...operation.definition,
    variableDefinitions: variables,
    selectionSet,
  };
  return { definition, fragments, valuesOf: valuesReader([...fields.values()]) };
}

function valuesReader(fields: readonly { readonly place: number; readonly selected: SelectedField }[]) {
  const fill = (into: Record<string, unknown>, variables: Record<string, unknown>, some: typeof fields) => {
    for (const { place, selected } of some) {
      const [node] = selected.nodes;
      const values = getArgumentValues(selected.field, node, variables);
      for (const argument of node.arguments ?? []) {
        const value = values[argument.name.value];
        if (value !== undefined) into[nameOf(place, argument)] = value;
      }
    }
    return into;
  };
  const changing = fields.filter(({ selected }) => selected.nodes[0].arguments?.some(hasVariable));
  const fixed = fill(
    {},
    {},
    fields.filter((field) => !changing.includes(field)),
  );
  if (changing.length === 0) return () => fixed;
  return (variables: Record<string, unknown>) => fill({ ...fixed }, variables, changing);
}

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

function nameOf(place: number, { name }: ArgumentNode): string {
  return `a${place}_${name.value}`;
}

function hasVariable({ value }: ArgumentNode): boolean {
  const left = [value];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (node.kind === Kind.VARIABLE) return true;
    if (node.kind === Kind.LIST) left.push(...node.values);
    else if (node.kind === Kind.OBJECT) left.push(...node.fields.map((field) => field.value));
  }
  return false;
}
