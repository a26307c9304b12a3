import { createPublicKey } from 'node:crypto';
import { reasonOf } from '../../reason-of.ts';
import { WrongValue } from '../../wrong-value.ts';

const KINDS = ['rsa', 'ec', 'ed25519', 'ed448'];

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
  let kind: string | undefined;
  try {
    kind = createPublicKey(pem).asymmetricKeyType;
  } catch (error) {
    throw new WrongValue(`the PEM has no public key (${reasonOf(error)})`);
  }
  if (!KINDS.includes(kind ?? ''))
    throw new WrongValue(`a key of the kind ${kind} signs no tokens; expected ${KINDS.join(', ')}`);
  return pem;
}
