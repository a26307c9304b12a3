import { isSchema } from 'graphql';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { MAX_BODY_BYTES, MILLISECONDS, type NumberRange, SHARE } from '../number-range.ts';
import { WrongValue } from '../wrong-value.ts';
import { parseCorsOrigin } from './guards/cors-origin.ts';
import { parsePublicKey } from './guards/public-key.ts';

const whole = ({ from, to }: NumberRange) =>
  z.custom<number>(
    (value) => Number.isInteger(value) && (value as number) >= from && (value as number) <= to,
    `expected a whole number from ${from} to ${to}`,
  );
const number = ({ from, to }: NumberRange) =>
  z.custom<number>(
    (value) => typeof value === 'number' && value >= from && value <= to,
    `expected a number from ${from} to ${to}`,
  );
const flag = z.boolean('expected true or false').optional();
const text = z.string('expected a text').nullish();
const anyMilliseconds = whole({ ...MILLISECONDS, from: 0 }).optional();
const points = number({ from: 0.001, to: 1e9 });
const callable = (what: string) => z.custom((value) => typeof value === 'function', `expected ${what}`);
const oneOf = (...values: [string, ...string[]]) => z.enum(values, `expected one of ${values.join(', ')}`).optional();

/** Parses by a function of Larder. An error that it throws becomes a problem of the option. */
const readBy = (parse: (text: string) => string) =>
  z.string('expected a text').superRefine((value, context) => {
    try {
      parse(value);
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });

/** An object of a shape, or another value that a check accepts. */
const objectOr = (shape: z.ZodType, isOther: (value: unknown) => boolean, expected: string) =>
  z
    .unknown()
    .superRefine((value, context) => {
      if (typeof value === 'object' && value !== null) {
        for (const issue of shape.safeParse(value).error?.issues ?? []) {
          context.addIssue({ code: 'custom', message: messageOf(issue), path: [...issue.path] });
        }
      } else if (!isOther(value)) context.addIssue({ code: 'custom', message: expected });
    })
    .optional();
const isBoolean = (value: unknown) => typeof value === 'boolean';

const key = z.union(
  [
    z.strictObject({ secret: z.string().min(32, 'expected at least 32 characters') }),
    z.strictObject({ publicKey: readBy(parsePublicKey) }),
    z.strictObject({
      jwksUrl: z.url({ protocol: /^(https?|file)$/, error: 'expected a URL of https:, http: or file:' }),
    }),
  ],
  'expected { secret }, { publicKey } or { jwksUrl }',
);

/** The values that each option may have, on its own. */
export const optionShape = z.strictObject({
  larder: z.custom(
    (value) => typeof value === 'object' && value !== null && 'repositories' in value && 'health' in value,
    'expected what createLarder returns, awaited',
  ),
  schema: z.custom(isSchemaOfOurs, 'expected a GraphQLSchema, made with the same copy of graphql'),
  prefix: z.string('expected a path, such as /api').optional(),
  context: callable('a function of the request').nullish(),
  auth: objectOr(
    z.strictObject({ key: key.nullish(), required: flag, audience: text, issuer: text }),
    (value) => value === null || typeof value === 'function',
    'expected { key, required, audience, issuer }, a function of the request, or null',
  ),
  limits: z
    .strictObject({
      maxCost: whole({ from: 1, to: 1e9 }).optional(),
      rate: z.strictObject({ perSecond: points, maximum: points }).nullish(),
      bodyBytes: whole({ from: 1, to: MAX_BODY_BYTES }).optional(),
      requestTimeoutMs: whole(MILLISECONDS).optional(),
      maxEventLoopDelayMs: anyMilliseconds,
    })
    .optional(),
  documents: z.strictObject({ file: text, only: flag, cacheControl: text }).optional(),
  introspection: oneOf('on', 'authenticated', 'off'),
  inspect: oneOf('off', 'header', 'always'),
  graphiql: objectOr(z.strictObject({ exampleQuery: z.string() }), isBoolean, 'expected a flag or { exampleQuery }'),
  compression: flag,
  corsOrigins: z.array(readBy(parseCorsOrigin)).nullish(),
  health: flag,
  metrics: objectOr(
    z.strictObject({ path: z.string('expected a path').startsWith('/').nullish(), registry: z.unknown() }),
    isBoolean,
    'expected a flag or { path, registry }',
  ),
  log: objectOr(
    z.strictObject({ slowRequestMs: anyMilliseconds, rate: number(SHARE).optional() }),
    isBoolean,
    'expected a flag or { slowRequestMs, rate }',
  ),
  tracing: objectOr(
    z.strictObject({ endpoint: z.url('expected the URL of a collector') }),
    isBoolean,
    'expected a flag or { endpoint }',
  ),
  apolloTracing: callable('a function that makes the schema once more').nullish(),
  development: flag,
  clock: z.custom<Clock>((value) => typeof value === 'object' && value !== null).optional(),
});

/**
 * @param issue what is wrong with an option
 * @returns the same in words, without the option's name
 */
export function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys') return issue.message;
  return `${issue.keys.join(', ')}: there is no such option`;
}

function isSchemaOfOurs(value: unknown): boolean {
  try {
    return isSchema(value);
  } catch (error) {
    // It throws only for a second copy of graphql, and names the copies.
    if (error instanceof Error) return false;
    throw error;
  }
}
