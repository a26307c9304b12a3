import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import type { Clock } from '../../clock.ts';

/** What tokens are checked with: a shared secret, a public key in PEM, or where a set of keys is (RFC 7517). */
export type VerificationKey =
  | { readonly secret: string }
  | { readonly publicKey: string }
  /** `https:`, `http:` or `file:`. */
  | { readonly jwksUrl: string };

/** What a token must say beside being signed. */
export interface RequiredClaims {
  /** The audience that it must be for; `null` for any. */
  readonly audience: string | null;
  /** Who must have issued it; `null` for anybody. */
  readonly issuer: string | null;
}

/** The keys could not be had, so that nothing can be said of a token. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable';
}

/** A token that says nothing to us. The message says why, and nothing that the token holds. */
export class InvalidToken extends Error {
  override name = 'InvalidToken';
}

/** Only these are accepted: a public key must never be taken for a shared secret, nor `none` for a signature. */
const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'];
const PUBLIC_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** How long to wait for a set of keys, in milliseconds. */
const KEYS_TIMEOUT_MS = 3000;

/** How long a set is used before it is read again, and how long at least when a token names a key that it has not, in milliseconds. */
const KEYS_MAX_AGE_MS = 600_000;
const KEYS_COOLDOWN_MS = 10_000;

/**
 * Makes what checks bearer tokens (RFC 7519).
 *
 * @param key what they are checked with; a set of keys is read again when a token names a key that it has not, so that keys may rotate
 * @param required what they must say
 * @param clock the time that says how old a file of keys is
 * @returns the claims of a token; throws {InvalidToken} for one that is not valid, {KeysUnavailable} when there are no keys to tell
 * @throws when the key is none
 */
export function tokenVerifier(
  key: VerificationKey,
  { audience, issuer }: RequiredClaims,
  clock: Clock,
): (token: string) => Promise<JWTPayload> {
  const options: JWTVerifyOptions = {
    algorithms: 'secret' in key ? SECRET_ALGORITHMS : PUBLIC_ALGORITHMS,
    // A token that names no audience was not meant for this one.
    ...(audience === null ? {} : { audience }),
    ...(issuer === null ? {} : { issuer }),
  };
  const verify = verifierOf(key, options, clock);
  return async (token) => {
    try {
      return (await verify(token)).payload;
    } catch (error) {
      if (isInvalid(error)) throw new InvalidToken(error.message, { cause: error });
      throw new KeysUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
    }
  };
}

function verifierOf(key: VerificationKey, options: JWTVerifyOptions, clock: Clock) {
  if ('secret' in key) {
    const secret = new TextEncoder().encode(key.secret);
    return (token: string) => jwtVerify(token, secret, options);
  }
  if ('publicKey' in key) {
    const publicKey = createPublicKey(key.publicKey);
    return (token: string) => jwtVerify(token, publicKey, options);
  }
  const url = new URL(key.jwksUrl);
  const keys =
    url.protocol === 'file:'
      ? fileKeys(fileURLToPath(url), clock)
      : createRemoteJWKSet(url, {
          timeoutDuration: KEYS_TIMEOUT_MS,
          cacheMaxAge: KEYS_MAX_AGE_MS,
          cooldownDuration: KEYS_COOLDOWN_MS,
        });
  return (token: string) => jwtVerify(token, keys, options);
}

/** Keys of a file, which is read again like a set that comes by HTTP. */
function fileKeys(file: string, clock: Clock): JWTVerifyGetKey {
  let read: { readonly keys: JWTVerifyGetKey; readonly at: number } | null = null;
  const readAgain = async () => {
    read = { keys: createLocalJWKSet(JSON.parse(await readFile(file, 'utf8'))), at: clock.now() };
    return read;
  };
  return async (header, token) => {
    const fresh = read !== null && clock.now() - read.at < KEYS_MAX_AGE_MS ? read : await readAgain();
    try {
      return await fresh.keys(header, token);
    } catch (error) {
      const unknown = error instanceof errors.JWKSNoMatchingKey;
      if (!unknown || clock.now() - fresh.at < KEYS_COOLDOWN_MS) throw error;
      return (await readAgain()).keys(header, token);
    }
  };
}

/** What the token is to blame for; the rest is that of the keys. */
function isInvalid(error: unknown): error is Error {
  return (
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWTExpired ||
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys
  );
}
