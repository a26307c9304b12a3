import {
  coerceInputValue,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  typeFromAST,
  type VariableDefinitionNode,
  valueFromAST,
} from 'graphql';
import { InvalidValue } from '../../pothos/invalid-value.ts';
import { RequestRefused } from '../errors/request-refused.ts';

/** The variables of a request. */
export interface Variables {
  /** As the client sent them. */
  readonly given: Readonly<Record<string, unknown>>;
  /** As resolvers get them, with the operation's defaults. */
  readonly coerced: Record<string, unknown>;
}

/** The most errors that are reported. More would tell a client nothing new. */
const MAX_ERRORS = 5;

/** The most values in all variables, objects and lists included. It is far more than any argument here can use. */
const MAX_VALUES = 10_000;

/** The most levels of objects and lists in the variables. Recursive code (coercing, printing, copying) is safe far beyond that. */
const MAX_DEPTH = 100;

/** Messages of graphql that name only types and fields of the schema. */
const WITHOUT_VALUE =
  /^(Expected (non-nullable )?type "[^"]*" (not to be null|to be an object)\.|Field "\w*" of required type "[^"]*" was not provided\.|Exactly one key must be specified for OneOf type "\w*"\.)$/;

/**
 * Coerces variables to their types (GraphQL specification, section 6.1.2). graphql-js can do so, too, but its messages show the values. A
 * value may be a secret, and messages get into others' logs.
 *
 * @param schema the schema
 * @param definitions the operation's variables, whose types are input types
 * @param given the variables as the client sent them
 * @returns the variables
 * @throws {RequestRefused} naming the variables with a wrong type, or when there are too many values or they are nested too deeply
 */
export function coerceVariables(
  schema: GraphQLSchema,
  definitions: readonly VariableDefinitionNode[],
  given: Readonly<Record<string, unknown>>,
): Variables {
  checkSize(given);
  // Without a prototype, a variable may be called `__proto__`.
  const coerced: Record<string, unknown> = Object.create(null);
  const errors: GraphQLFormattedError[] = [];
  for (const definition of definitions) {
    const name = definition.variable.name.value;
    const type = typeFromAST(schema, definition.type);
    if (!isInputType(type)) continue;
    const report = (problem: string, path: readonly (string | number)[] = []) => {
      const message = `Variable "$${name}"${path.length === 0 ? '' : ` at ${placeText(path)}`}: ${problem}`;
      // The node gives the error a place in the document.
      const { locations } = new GraphQLError(message, { nodes: definition });
      errors.push({ message, ...(locations && { locations }), extensions: { code: 'BAD_USER_INPUT' } });
      if (errors.length === MAX_ERRORS) throw refused(errors);
    };
    if (!Object.hasOwn(given, name)) {
      if (definition.defaultValue !== undefined) coerced[name] = valueFromAST(definition.defaultValue, type);
      else if (isNonNullType(type)) report(`Expected a value of the type ${type}.`);
    } else if (given[name] === null && isNonNullType(type)) report(`Expected a value of the type ${type}, not null.`);
    else {
      coerced[name] = coerceInputValue(given[name], type, (path, _value, error) =>
        report(messageWithoutValue(error) ?? problemAt(type, path), path),
      );
    }
  }
  if (errors.length > 0) throw refused(errors);
  return { given, coerced };
}

/**
 * Limits the number of values, because each is read several times on its way to a resolver, and their nesting. So it is not recursive itself.
 */
function checkSize(given: Readonly<Record<string, unknown>>): void {
  let level: unknown[] = [given];
  for (let depth = 0, seen = 0; level.length > 0; depth += 1) {
    const inside: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      if (depth === MAX_DEPTH) throw tooMuch(`Expected variables that are nested at most ${MAX_DEPTH} deep.`);
      const items = Object.values(value);
      seen += items.length;
      if (seen > MAX_VALUES) throw tooMuch(`Expected at most ${MAX_VALUES} values in variables.`);
      inside.push(...items);
    }
    level = inside;
  }
}

function tooMuch(message: string): RequestRefused {
  return new RequestRefused(400, 'BAD_USER_INPUT', message, { wellFormed: true });
}

function refused(errors: readonly GraphQLFormattedError[]): RequestRefused {
  return new RequestRefused(400, 'BAD_USER_INPUT', 'The variables are not of their types.', {
    wellFormed: true,
    errors,
  });
}

/** The message of graphql or of a scalar, if it does not show the value; otherwise `null`. */
function messageWithoutValue({ message, originalError }: GraphQLError): string | null {
  if (originalError instanceof InvalidValue) return originalError.message;
  return WITHOUT_VALUE.test(message) ? message : null;
}

/** What was expected at a path: a field of an input type, or a value of a leaf's type. */
function problemAt(variable: GraphQLInputType, path: readonly (string | number)[]): string {
  let type = getNullableType(variable);
  for (const key of path) {
    // A single value stands for a list of one, and has no index then.
    while (isListType(type) && typeof key === 'string') type = getNullableType(type.ofType);
    if (isListType(type)) type = getNullableType(type.ofType);
    else if (isInputObjectType(type)) {
      const field = type.getFields()[key];
      if (field !== undefined) type = getNullableType(field.type);
    }
  }
  const named = getNamedType(type);
  return isInputObjectType(named)
    ? `Expected only the fields of the type ${named}.`
    : `Expected a value of the type ${named}.`;
}

/** The path in words. It has indexes and names of the schema's fields only, since coercion follows the types. */
function placeText(path: readonly (string | number)[]): string {
  return path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
}
