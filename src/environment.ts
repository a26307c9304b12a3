import { z } from 'zod';
import { COUNT, MAX_BODY_BYTES, MILLISECONDS, type NumberRange, YEAR_SECONDS } from './number-range.ts';

const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
/** A number in plain digits: what is blank, hexadecimal or not there at all is nobody's intention. */
const numberOf = (digits: RegExp, what: string, { from, to }: NumberRange) => {
  const error = `expected ${what} from ${from} to ${to}`;
  return z.string(error).regex(digits, error).transform(Number).pipe(z.number(error).min(from, error).max(to, error));
};
const whole = (range: NumberRange) => numberOf(/^\d+$/, 'a whole number', range);
const decimal = (range: NumberRange) => numberOf(/^(\d+\.?\d*|\.\d+)(e-\d+)?$/i, 'a number', range);
const milliseconds = whole(MILLISECONDS);
/** As `milliseconds`, where none is a wish, too. */
const anyMilliseconds = whole({ ...MILLISECONDS, from: 0 });
const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );
const port = whole({ from: 0, to: 65_535 });
const url = (...protocols: string[]) =>
  z.url({
    protocol: new RegExp(`^(${protocols.join('|')})$`),
    error: `expected a URL that starts with ${protocols.map((name) => `${name}://`).join(' or ')}`,
  });

/** The variables of the environment, each by itself: its form and its default. */
export const environment = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  DATABASE_URL: url('postgres', 'postgresql'),
  DATABASE_POOL_SIZE: whole({ from: 1, to: 1000 }).default(4),
  STATEMENT_TIMEOUT_MS: milliseconds.default(5000),
  REDIS_URL: url('redis', 'rediss').optional(),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: port.default(4000),
  METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  METRICS_PORT: port.default(9464),
  MAX_STALENESS_MS: milliseconds.default(5000),
  CACHE_TTL_SECONDS: whole({ from: 1, to: YEAR_SECONDS }).default(300),
  MEMORY_TTL_MS: milliseconds.default(1000),
  MEMORY_MAX_ENTRIES: whole(COUNT).default(100_000),
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
  CORS_ORIGINS: list,
  TRUST_PROXY: list,
  BODY_LIMIT_BYTES: whole({ from: 1, to: MAX_BODY_BYTES }).default(1_048_576),
  REQUEST_TIMEOUT_MS: milliseconds.default(10_000),
  MAX_EVENT_LOOP_DELAY_MS: anyMilliseconds.default(1000),
  SELF_AUDIT_RATE: decimal({ from: 0, to: 1 }).default(0.0001),
  REQUEST_LOG_RATE: decimal({ from: 0, to: 1 }).default(1),
  SLOW_REQUEST_MS: anyMilliseconds.default(1000),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http', 'https').optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  JWT_SECRET: z.string().min(32, 'expected at least 32 characters').optional(),
  JWT_PUBLIC_KEY: z.string().startsWith('-----BEGIN PUBLIC KEY-----', 'expected a public key in PEM').optional(),
  JWT_JWKS_URL: url('https', 'http', 'file').optional(),
  JWT_AUDIENCE: z.string().optional(),
  JWT_ISSUER: z.string().optional(),
  REQUIRE_AUTH: flag.default(false),
  KEEP_ALIVE_TIMEOUT_MS: milliseconds.default(75_000),
  SHUTDOWN_DELAY_MS: anyMilliseconds.optional(),
  SHUTDOWN_TIMEOUT_MS: milliseconds.default(10_000),
});

/** The variables of an environment that has the form, defaults filled in. */
export type Variables = z.infer<typeof environment>;
