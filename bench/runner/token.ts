import { createHmac, randomBytes } from 'node:crypto';

/** The secret that Larder checks tokens with in this run. */
export const JWT_SECRET = randomBytes(32).toString('hex');

/** @returns a token that may write, good for longer than a benchmark runs (RFC 7519) */
export function writeToken(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const expires = Math.floor(Date.now() / 1000) + 24 * 60 * 60;
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: 'bench', scope: 'write', exp: expires })}`;
  return `${signed}.${createHmac('sha256', JWT_SECRET).update(signed).digest('base64url')}`;
}
