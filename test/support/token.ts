import { createSigner } from 'fast-jwt';

/** The shared secret of the tests' servers that check tokens. */
export const JWT_SECRET = 'a secret of the tests that is long enough to be one';

/**
 * A token as a client sends it.
 *
 * @param claims what it says; the scope `write` and an hour of life unless given
 * @param key what it is signed with
 * @param algorithm how it is signed; by the kind of the key unless given
 * @returns the header that carries it
 */
export function bearer(
  claims: Record<string, unknown> = {},
  key: string = JWT_SECRET,
  algorithm?: 'HS256' | 'HS512' | 'RS256' | 'ES256',
): { authorization: string } {
  const sign = createSigner({ key, ...(algorithm === undefined ? {} : { algorithm }) });
  const inAnHour = Math.floor(Date.now() / 1000) + 3600;
  return { authorization: `Bearer ${sign({ sub: 'tester', scope: 'write', exp: inAnHour, ...claims })}` };
}
