import { randomBytes } from 'node:crypto';
import { createSigner } from 'fast-jwt';

/** Long enough for a day of trying things out, in milliseconds. */
const LIFETIME_MS = 24 * 60 * 60 * 1000;

/**
 * Finds the shared secret of the demo's server, or makes one for this run.
 *
 * @param given the environment of the process
 * @returns the variables to add, and a token with the scope `write`; the token is `null` when the server checks with public keys, whose
 *   private halves are elsewhere
 */
export function demoToken(given: Record<string, string | undefined>): {
  env: Record<string, string>;
  token: string | null;
} {
  if (given.JWT_PUBLIC_KEY || given.JWT_JWKS_URL) return { env: {}, token: null };
  const secret = given.JWT_SECRET || randomBytes(32).toString('hex');
  const claims = {
    ...{ sub: 'demo', scope: 'write' },
    ...(given.JWT_AUDIENCE ? { aud: given.JWT_AUDIENCE } : {}),
    ...(given.JWT_ISSUER ? { iss: given.JWT_ISSUER } : {}),
  };
  return { env: { JWT_SECRET: secret }, token: createSigner({ key: secret, expiresIn: LIFETIME_MS })(claims) };
}
