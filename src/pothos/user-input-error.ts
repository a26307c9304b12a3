import { GraphQLError } from 'graphql';

/**
 * Makes an error for an argument of the right type with a wrong value.
 *
 * @param argument the argument's name, which the error's extensions have
 * @param message what was expected, and what came
 * @returns an error with the code BAD_USER_INPUT
 */
export function userInputError(argument: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', argument } });
}
