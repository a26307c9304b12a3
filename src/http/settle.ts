import { systemClock } from '../clock.ts';
import { WrongValue } from '../wrong-value.ts';
import { parseCorsOrigin } from './guards/cors-origin.ts';
import { messageOf, optionShape } from './option-shape.ts';
import type { LarderFastifyOptions, MetricsOptions } from './options.ts';

/** The page that explains each option. */
const PAGE = 'docs/fastify.md';

/** Validated options, defaults filled in. */
export type Settled = ReturnType<typeof settle>;

/**
 * @param given the options as they were written
 * @returns the same, defaults filled in
 * @throws {WrongValue} naming each wrong option, and the page that explains them
 */
export function settle(given: LarderFastifyOptions) {
  const { error } = optionShape.safeParse(given);
  const problems = (error?.issues ?? []).map((issue) =>
    [issue.path.join('.'), messageOf(issue)].filter(Boolean).join(': '),
  );
  const { development = process.env.NODE_ENV !== 'production', clock = systemClock } = given;
  const { maxCost = 1000, rate = null, bodyBytes = 1_048_576 } = given.limits ?? {};
  const { requestTimeoutMs = 10_000, maxEventLoopDelayMs = 1000 } = given.limits ?? {};
  const { file = null, only = false, cacheControl = null } = given.documents ?? {};
  if (error === undefined)
    problems.push(...contradictions({ maxCost, rate, file, only, cacheControl, auth: given.auth }));
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

/** Checks options against each other. */
function contradictions({
  maxCost,
  rate,
  file,
  only,
  cacheControl,
  auth,
}: {
  readonly auth: LarderFastifyOptions['auth'] | undefined;
  readonly maxCost: number;
  readonly rate: { readonly maximum: number } | null;
  readonly file: string | null;
  readonly only: boolean;
  readonly cacheControl: string | null;
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
  if (cacheControl !== null && (auth === null || typeof auth === 'function')) {
    found.push(
      'documents.cacheControl: with auth of your own, caches cannot know whose answer they hold; leave it out, and set Cache-Control in a hook of yours, with Vary',
    );
  }
  return found;
}
