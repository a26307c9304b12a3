import { isSchema } from 'graphql';
import { z } from 'zod';
import { type Clock, systemClock } from '../clock.ts';
import { MAX_BODY_BYTES, MILLISECONDS, type NumberRange } from '../number-range.ts';
import { WrongValue } from '../wrong-value.ts';
import { parseCorsOrigin } from './guards/cors-origin.ts';
import { parsePublicKey } from './guards/public-key.ts';
import type { LarderFastifyOptions, MetricsOptions } from './options.ts';

/** Where each option is explained. */
const PAGE = 'docs/fastify.md';

/** Options as they are meant, defaults filled in. */
export type Settled = ReturnType<typeof settle>;

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

/** What a function of ours reads; what it refuses is a problem of the option. */
const readBy = (parse: (text: string) => string) =>
  z.string('expected a text').superRefine((value, context) => {
    try {
      parse(value);
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });

/** An object of a shape, or another value that a check lets pass. */
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

const shape = z.strictObject({
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
    z.strictObject({ slowRequestMs: anyMilliseconds, rate: number({ from: 0, to: 1 }).optional() }),
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
 * @param given the options as somebody wrote them
 * @returns the same, defaults filled in
 * @throws {WrongValue} naming each option that cannot be meant, and where they are explained
 */
export function settle(given: LarderFastifyOptions) {
  const { error } = shape.safeParse(given);
  const problems = (error?.issues ?? []).map((issue) =>
    [issue.path.join('.'), messageOf(issue)].filter(Boolean).join(': '),
  );
  const { development = process.env.NODE_ENV !== 'production', clock = systemClock } = given;
  const { maxCost = 1000, rate = null, bodyBytes = 1_048_576 } = given.limits ?? {};
  const { requestTimeoutMs = 10_000, maxEventLoopDelayMs = 1000 } = given.limits ?? {};
  const { file = null, only = false, cacheControl = null } = given.documents ?? {};
  if (error === undefined) problems.push(...contradictions({ maxCost, rate, file, only, auth: given.auth }));
  if (problems.length > 0) {
    throw new WrongValue(
      `larderFastify has wrong options:\n${problems.map((line) => `  ${line}`).join('\n')}\nSee ${PAGE}.`,
    );
  }
  const { graphiql = false, metrics = false, log = true, tracing = false } = given;
  const { path = '/metrics', registry }: MetricsOptions = typeof metrics === 'object' ? metrics : {};
  const { slowRequestMs = 1000, rate: logged = 1 } = typeof log === 'object' ? log : {};
  return {
    larder: given.larder,
    schema: given.schema,
    prefix: given.prefix ?? '',
    context: given.context ?? null,
    auth: given.auth === undefined ? {} : given.auth,
    limits: { maxCost, rate, bodyBytes, requestTimeoutMs, maxEventLoopDelayMs },
    documents: { file, only, cacheControl },
    introspection: given.introspection ?? (development ? 'on' : 'authenticated'),
    inspect: given.inspect ?? (development ? 'header' : 'off'),
    graphiql: graphiql === true ? { exampleQuery: '{ __typename }\n' } : graphiql === false ? null : graphiql,
    compression: given.compression ?? true,
    corsOrigins: given.corsOrigins === null ? null : (given.corsOrigins ?? []).map(parseCorsOrigin),
    health: given.health ?? true,
    metrics: metrics === false ? null : { path, registry: registry ?? null },
    log: { slowRequestMs, rate: log === false ? null : logged },
    tracing: tracing === false ? null : tracing,
    apolloTracing: given.apolloTracing ?? null,
    development,
    clock,
  };
}

/** What no option says by itself. */
function contradictions({
  maxCost,
  rate,
  file,
  only,
  auth,
}: {
  readonly auth: LarderFastifyOptions['auth'] | undefined;
  readonly maxCost: number;
  readonly rate: { readonly maximum: number } | null;
  readonly file: string | null;
  readonly only: boolean;
}): string[] {
  const found: string[] = [];
  if (rate !== null && rate.maximum < maxCost) {
    found.push(
      `limits.rate.maximum: a bucket holds ${rate.maximum} points, and a request may cost ${maxCost} (limits.maxCost)`,
    );
  }
  if (only && file === null)
    found.push('documents.only: there are no documents, so no request would be answered; set documents.file');
  if (typeof auth === 'object' && auth?.required === true && auth.key == null) {
    found.push('auth.required: there is no key to check tokens with; set auth.key');
  }
  return found;
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys') return issue.message;
  return `${issue.keys.join(', ')}: there is no such option`;
}

function isSchemaOfOurs(value: unknown): boolean {
  try {
    return isSchema(value);
  } catch (error) {
    // It names the copies of graphql, and that is all that it throws for.
    if (error instanceof Error) return false;
    throw error;
  }
}
