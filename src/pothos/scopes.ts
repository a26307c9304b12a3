/**
 * Combines two scopes of Pothos' scope-auth.
 *
 * @param options the builder's options, in which scope-auth has its own
 * @param one scopes that a type has, no function; `undefined` for none
 * @param other further scopes of the type, or a function that gives them; `undefined` for none
 * @returns scopes that ask for both; `undefined` for none
 */
export function bothScopes(options: object, one: unknown, other: unknown): unknown {
  if (one === undefined) return other;
  if (other === undefined || other === true) return one;
  if (other === false) return false;
  if (typeof other === 'function') {
    return async (object: unknown, context: unknown) => bothScopes(options, one, await other(object, context));
  }
  const { scopeAuth } = options as { readonly scopeAuth?: { readonly defaultStrategy?: 'all' | 'any' } };
  const each = `$${scopeAuth?.defaultStrategy ?? 'any'}`;
  // A map of scopes has one place for each word. So the second stands in an `any` of its own.
  return { $all: { $all: { [each]: one }, $any: { [each]: other } } };
}
