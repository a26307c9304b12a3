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
import { reasonOf } from '../../reason-of.ts';
import { algorithmsOf, parsePublicKey } from './public-key.ts';

/** The key that checks tokens: a shared secret, a public key in PEM, or the URL of a set of keys (RFC 7517). */
export type VerificationKey =
  | { readonly secret: string }
  | { readonly publicKey: string }
  /** `https:`, `http:` or `file:`. */
  | { readonly jwksUrl: string };

/** Claims that a token must have, beside a valid signature. */
export interface RequiredClaims {
  /** The required audience; `null` for any. */
  readonly audience: string | null;
  /** The required issuer; `null` for any. */
  readonly issuer: string | null;
}

/** The keys are not available, so no token can be checked. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable';
}

/** A token that is not valid. The message says why, and quotes nothing of the token. */
export class InvalidToken extends Error {
  override name = 'InvalidToken';
}

/** Only these are accepted. A public key must never be taken for a shared secret, nor `none` for a signature. */
const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'];
const PUBLIC_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** How long to wait for a set of keys, in milliseconds. */
const KEYS_TIMEOUT_MS = 3000;

/**
 * How long a set of keys is used before it is read again, in milliseconds. It is also the least time between two readings for unknown keys.
 */
const KEYS_MAX_AGE_MS = 600_000;
const KEYS_COOLDOWN_MS = 10_000;

/**
 * Makes a function that checks bearer tokens (RFC 7519).
 *
 * @param key the key; a set of keys is read again when a token names an unknown one, so that keys may rotate
 * @param required the claims that a token must have
 * @param clock the time, which gives the age of a file of keys
 * @returns gives the claims of a token; throws {InvalidToken} for an invalid one, {KeysUnavailable} when there are no keys to check it
 * @throws when the key is no key
 */
export function tokenVerifier(
  key: VerificationKey,
  { audience, issuer }: RequiredClaims,
  clock: Clock,
): (token: string) => Promise<JWTPayload> {
  const options: JWTVerifyOptions = {
    // A token without an audience was not meant for this one.
    ...(audience === null ? {} : { audience }),
    ...(issuer === null ? {} : { issuer }),
  };
  const verify = verifierOf(key, options, clock);
  return async (token) => {
    try {
      return (await verify(token)).payload;
    } catch (error) {
      if (isInvalid(error)) throw new InvalidToken(error.message, { cause: error });
      throw new KeysUnavailable(reasonOf(error), { cause: error });
    }
  };
}

function verifierOf(key: VerificationKey, options: JWTVerifyOptions, clock: Clock) {
  if ('secret' in key) {
    const secret = new TextEncoder().encode(key.secret);
    return (token: string) => jwtVerify(token, secret, { ...options, algorithms: SECRET_ALGORITHMS });
  }
  if ('publicKey' in key) {
    const publicKey = createPublicKey(parsePublicKey(key.publicKey));
    const algorithms = [...algorithmsOf(publicKey)];
    return (token: string) => jwtVerify(token, publicKey, { ...options, algorithms });
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
  return (token: string) => jwtVerify(token, keys, { ...options, algorithms: PUBLIC_ALGORITHMS });
}

/** Keys from a file. It is read again like a set that comes by HTTP. */
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

/** Whether the token is at fault, rather than the keys. */
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
