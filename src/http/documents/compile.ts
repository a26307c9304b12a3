import {
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getNullableType,
  isAbstractType,
  isListType,
  Kind,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import { liftArguments, withCoercedType } from './lift-arguments.ts';
import type { Operation } from './operation.ts';
import { type SelectedField, type SelectedObject, selectedIn } from './selected.ts';

/**
 * Executes a compiled operation.
 *
 * @param context the resolvers' context
 * @param variables the coerced variables
 * @returns the result; `null` when a required argument has no value, which only graphql-js answers correctly. Then nothing has been
 *   executed
 */
export type CompiledOperation = (
  context: object,
  variables: Record<string, unknown>,
) => Promise<ExecutionResult> | ExecutionResult | null;

/**
 * Makes a compiler of operations, which is graphql-jit. It receives only what it executes exactly as graphql-js does. So it receives no
 * conditions, which it confuses where fields and fragments merge. It receives no values, which it coerces differently and writes into code.
 *
 * @param schema the schema that operations are valid against
 * @returns compiles an operation that is already cut to its conditions; `null` for one that must be executed without the compiler
 */
export function createCompiler(schema: GraphQLSchema): (operation: Operation) => CompiledOperation | null {
  const open = withCoercedType(schema);
  return (operation) => {
    if (!hasDistinctNames(selectedIn(schema, operation))) return null;
    const { definition, fragments, valuesOf } = liftArguments(schema, operation);
    const compiled = compileQuery(open, { kind: Kind.DOCUMENT, definitions: [definition, ...fragments] });
    if (!isCompiledQuery(compiled)) return null;
    return (context, variables) => {
      let values: Record<string, unknown>;
      try {
        values = valuesOf(variables);
      } catch (error) {
        if (error instanceof GraphQLError) return null;
        throw error;
      }
      return compiled.query(undefined, context, values);
    };
  };
}

/**
 * Whether the compiler can distinguish what it names after types and keys. It stores a resolver under the joined names of type and field.
 * It stores the place of a field under all keys on the way, joined by underscores, so keys with underscores may collide. It also makes
 * objects with the response's keys, some of which every object has already.
 */
function hasDistinctNames(root: SelectedObject): boolean {
  const places = new Set<string>();
  const resolvers = new Map<string, SelectedField['field']>();
  const follow = ({ type: parent, fields }: SelectedObject, above: string, lists: number): boolean =>
    fields.every(({ key, field, inside }) => {
      let place = `${key}_${above}`;
      const resolver = `${parent.name}${field.name}`;
      if (key in {} || places.has(place) || (resolvers.get(resolver) ?? field) !== field) return false;
      places.add(place);
      resolvers.set(resolver, field);
      let depth = lists;
      let type = getNullableType(field.type);
      for (; isListType(type); type = getNullableType(type.ofType)) {
        place = `idx${depth}_${place}`;
        depth += 1;
      }
      const isAbstract = isAbstractType(type);
      return inside.every((object) => follow(object, isAbstract ? `${object.type.name}_${place}` : place, depth));
    });
  return follow(root, '', 0);
}
