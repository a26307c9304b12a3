import { GraphQLError } from 'graphql';

/**
 * An argument whose type is right and whose value is not.
 *
 * @param argument the argument's name, put into the error's extensions
 * @param message what was expected and what came
 * @returns an error with the code BAD_USER_INPUT
 */
export function userInputError(argument: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', argument } });
}
