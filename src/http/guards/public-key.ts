import { createPublicKey, type KeyObject } from 'node:crypto';
import { reasonOf } from '../../reason-of.ts';
import { WrongValue } from '../../wrong-value.ts';

/** The algorithms of each kind of key but those of curves (RFC 7518, RFC 8037). */
const BY_KIND: Readonly<Record<string, readonly string[]>> = {
  rsa: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ed25519: ['EdDSA', 'Ed25519'],
};

/** The algorithm of each curve, by OpenSSL's name. */
const BY_CURVE: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };

/** The shortest RSA key that may be used (RFC 7518, section 3.3), in bits. */
const RSA_BITS = 2048;

/**
 * Reads a public key, even one that lost its line breaks. Many places keep a variable on one line, with `\n` or nothing for the breaks.
 *
 * @param text the key in PEM
 * @returns the same with line breaks
 * @throws {WrongValue} when it is no public key that signs tokens
 */
export function parsePublicKey(text: string): string {
  const [, body] =
    /^\s*-----BEGIN PUBLIC KEY-----(.*)-----END PUBLIC KEY-----\s*$/s.exec(text.replace(/\\r|\\n/g, '\n')) ?? [];
  if (body === undefined)
    throw new WrongValue('expected a public key in PEM, from -----BEGIN PUBLIC KEY----- to its end');
  const lines = body.replace(/\s/g, '').match(/.{1,64}/g) ?? [];
  const pem = `-----BEGIN PUBLIC KEY-----\n${lines.join('\n')}\n-----END PUBLIC KEY-----\n`;
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (error) {
    throw new WrongValue(`the PEM has no public key (${reasonOf(error)})`);
  }
  algorithmsOf(key);
  return pem;
}

/**
 * @param key a public key
 * @returns the algorithms by which a token may be signed with it
 * @throws {WrongValue} when there are none
 */
export function algorithmsOf({ asymmetricKeyType: kind, asymmetricKeyDetails }: KeyObject): readonly string[] {
  const { modulusLength = 0, namedCurve = '' } = asymmetricKeyDetails ?? {};
  if (kind === 'rsa' && modulusLength < RSA_BITS)
    throw new WrongValue(`an RSA key of ${modulusLength} bits is too short; expected ${RSA_BITS} or more`);
  if (kind === 'ec') {
    const algorithm = BY_CURVE[namedCurve];
    if (algorithm === undefined)
      throw new WrongValue(`a key on the curve ${namedCurve} signs no tokens; expected P-256, P-384 or P-521`);
    return [algorithm];
  }
  const algorithms = BY_KIND[kind ?? ''];
  if (algorithms === undefined)
    throw new WrongValue(`a key of the kind ${kind} signs no tokens; expected rsa, ec or ed25519`);
  return algorithms;
}
