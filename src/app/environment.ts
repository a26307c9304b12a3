import { z } from 'zod';
import { parseCorsOrigin, parsePublicKey, parseTrustedProxy } from '../http/index.ts';
import { parsePostgresUrl, parseRedisUrl, ranges, replicaTargetOf, WrongValue } from '../index.ts';
import { parseListenHost } from './settings/listen-host.ts';

const { BYTES, COUNT, MAX_BODY_BYTES, MILLISECONDS, YEAR_SECONDS } = ranges;

const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
/** A number in plain digits. Blank or hexadecimal text is surely a mistake. */
const numberOf = (digits: RegExp, what: string, { from, to }: ranges.NumberRange) => {
  const error = `expected ${what} from ${from} to ${to}`;
  return z.string(error).regex(digits, error).transform(Number).pipe(z.number(error).min(from, error).max(to, error));
};
const whole = (range: ranges.NumberRange) => numberOf(/^\d+$/, 'a whole number', range);
const decimal = (range: ranges.NumberRange) => numberOf(/^(\d+\.?\d*|\.\d+)(e-\d+)?$/i, 'a number', range);
const milliseconds = whole(MILLISECONDS);
/** Like `milliseconds`, but 0 is allowed. */
const anyMilliseconds = whole({ ...MILLISECONDS, from: 0 });
/** Parses by a function of Larder. An error that it throws becomes a problem of the variable. */
const read = <T>(parse: (text: string) => T) =>
  z.string().transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
/** Checks that a function of Larder can parse the text. */
const checked = (parse: (text: string) => unknown) =>
  read((text) => {
    parse(text);
    return text;
  });
const listOf = (parse: (item: string) => string) =>
  z
    .string()
    .default('')
    .transform((text) => {
      const items = text.split(',').map((item) => item.trim());
      return items.filter((item) => item !== '');
    })
    .pipe(z.array(read(parse)))
    .transform((items) => [...new Set(items)]);
/** As `listOf`, of addresses, which may have commas of their own between hosts. */
const addressesOf = (parse: (address: string) => unknown) =>
  read((text) => {
    const addresses = text.split(/\s*,\s*(?=[a-z]+:\/\/)/i).map((address) => address.trim());
    for (const address of addresses) parse(address);
    return [...new Set(addresses)];
  });
const port = whole({ from: 0, to: 65_535 });
const url = (...protocols: string[]) =>
  z.url({
    protocol: new RegExp(`^(${protocols.join('|')})$`),
    error: `expected a URL that starts with ${protocols.map((name) => `${name}://`).join(' or ')}`,
  });

/** The variables of the environment, each on its own: its form and its default. */
export const environment = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  DATABASE_URL: checked(parsePostgresUrl),
  DATABASE_POOL_SIZE: whole(ranges.CONNECTIONS).default(4),
  STATEMENT_TIMEOUT_MS: milliseconds.default(5000),
  DATABASE_REPLICA_URLS: addressesOf(replicaTargetOf).optional(),
  MAX_REPLICA_LAG_MS: milliseconds.default(1000),
  REDIS_URL: checked(parseRedisUrl).optional(),
  REDIS_TIMEOUT_MS: milliseconds.default(100),
  HOST: read(parseListenHost).default('127.0.0.1'),
  PORT: port.default(4000),
  METRICS_HOST: read(parseListenHost).default('127.0.0.1'),
  METRICS_PORT: port.default(9464),
  MAX_STALENESS_MS: milliseconds.default(5000),
  CACHE_TTL_SECONDS: whole({ from: 1, to: YEAR_SECONDS }).default(300),
  MEMORY_TTL_MS: milliseconds.default(1000),
  MEMORY_MAX_ENTRIES: whole(COUNT).default(100_000),
  MEMORY_MAX_BYTES: whole(BYTES).optional(),
  CACHE_PREFIX: z.string().default(''),
  INSPECT: z.enum(['off', 'header', 'always']).optional(),
  GRAPHIQL: flag.optional(),
  APOLLO_TRACING: flag.default(false),
  MAX_COST: whole({ from: 1, to: 1_000_000_000 }).default(1000),
  RATE_POINTS_PER_SECOND: decimal({ from: 0.001, to: 1_000_000_000 }).optional(),
  RATE_BUCKET_SECONDS: decimal({ from: 0.001, to: 86_400 }).default(60),
  TRUSTED_DOCUMENTS: z.enum(['on', 'only']).default('on'),
  TRUSTED_DOCUMENTS_FILE: z.string().optional(),
  CACHE_CONTROL: z.string().optional(),
  INTROSPECTION: z.enum(['on', 'authenticated', 'off']).optional(),
  COMPRESSION: flag.default(true),
  CORS_ORIGINS: listOf(parseCorsOrigin),
  TRUST_PROXY: listOf(parseTrustedProxy),
  BODY_LIMIT_BYTES: whole({ from: 1, to: MAX_BODY_BYTES }).default(1_048_576),
  REQUEST_TIMEOUT_MS: milliseconds.default(10_000),
  MAX_EVENT_LOOP_DELAY_MS: anyMilliseconds.default(1000),
  SELF_AUDIT_RATE: decimal(ranges.SHARE).default(0.0001),
  REQUEST_LOG_RATE: decimal(ranges.SHARE).default(1),
  SLOW_REQUEST_MS: anyMilliseconds.default(1000),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http', 'https').optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  JWT_SECRET: z.string().min(32, 'expected at least 32 characters').optional(),
  JWT_PUBLIC_KEY: read(parsePublicKey).optional(),
  JWT_JWKS_URL: url('https', 'http', 'file').optional(),
  JWT_AUDIENCE: z.string().optional(),
  JWT_ISSUER: z.string().optional(),
  REQUIRE_AUTH: flag.default(false),
  KEEP_ALIVE_TIMEOUT_MS: milliseconds.default(75_000),
  SHUTDOWN_DELAY_MS: anyMilliseconds.optional(),
  SHUTDOWN_TIMEOUT_MS: milliseconds.default(10_000),
});

/** The variables of a valid environment, defaults filled in. */
export type Variables = z.infer<typeof environment>;
