/**
 * @param thrown what was thrown
 * @returns why, in one line's words
 */
export function reasonOf(thrown: unknown): string {
  // An error about several addresses of one host has no message, but the error for each address has one.
  if (thrown instanceof AggregateError && thrown.message === '') return thrown.errors.map(reasonOf).join('; ');
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/**
 * @param thrown what was thrown, which in JavaScript may be anything
 * @returns it, or an error that has it as its message
 */
export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
