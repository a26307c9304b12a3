import { commitMutation } from 'relay-runtime';

/**
 * Sends a mutation.
 *
 * @returns its data; it fails with the server's words
 */
export function send(environment, mutation, variables) {
  return new Promise((resolve, reject) => {
    commitMutation(environment, { mutation, variables, onCompleted: resolve, onError: reject });
  });
}
