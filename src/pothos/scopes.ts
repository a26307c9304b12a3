/**
 * Combines two scopes of Pothos' scope-auth.
 *
 * @param options the builder's options, in which scope-auth has its own
 * @param one scopes of a type or a field, or a function that gives them; `undefined` for none
 * @param other further scopes of it, or a function that gives them; `undefined` for none
 * @returns scopes that ask for both; `undefined` for none
 */
export function bothScopes(options: object, one: unknown, other: unknown): unknown {
  if (one == null) return other;
  if (other == null) return one;
  if (typeof one === 'object' && typeof other === 'object') return bothGiven(options, one, other);
  // Of a type, scope-auth gives an object and the context. Of a field, it also gives arguments and the info.
  const given = (scopes: unknown, asked: readonly unknown[]): unknown =>
    typeof scopes === 'function' ? scopes(...asked) : scopes;
  return async (...asked: readonly unknown[]) => bothGiven(options, await given(one, asked), await given(other, asked));
}

function bothGiven(options: object, one: unknown, other: unknown): unknown {
  if (one === true) return other;
  if (other === true) return one;
  // A function that gives nothing allows nothing. Then scope-auth refuses as it does where there is nothing else to ask.
  for (const scopes of [one, other]) if (scopes === false || scopes == null) return scopes;
  const { scopeAuth } = options as { readonly scopeAuth?: { readonly defaultStrategy?: 'all' | 'any' } };
  const each = `$${scopeAuth?.defaultStrategy ?? 'any'}`;
  // A map of scopes has one place for each word. So the second stands in an `any` of its own.
  return { $all: { $all: { [each]: one }, $any: { [each]: other } } };
}
