import { z } from 'zod';

const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
const milliseconds = z.coerce.number().int().positive();
const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );
const port = z.coerce.number().int().min(0).max(65535);
const url = (...protocols: string[]) =>
  z.url({
    protocol: new RegExp(`^(${protocols.join('|')})$`),
    error: `expected a URL that starts with ${protocols.map((name) => `${name}://`).join(' or ')}`,
  });

/** The variables of the environment, each by itself: its form and its default. */
export const environment = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  DATABASE_URL: url('postgres', 'postgresql'),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(1).max(1000).default(4),
  STATEMENT_TIMEOUT_MS: milliseconds.default(5000),
  REDIS_URL: url('redis', 'rediss').optional(),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: port.default(4000),
  METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  METRICS_PORT: port.default(9464),
  MAX_STALENESS_MS: milliseconds.default(5000),
  CACHE_TTL_SECONDS: z.coerce.number().int().positive().default(300),
  MEMORY_TTL_MS: milliseconds.default(1000),
  MEMORY_MAX_ENTRIES: z.coerce.number().int().nonnegative().default(100_000),
  CACHE_PREFIX: z.string().default(''),
  INSPECT: z.enum(['off', 'header', 'always']).optional(),
  GRAPHIQL: flag.optional(),
  APOLLO_TRACING: flag.default(false),
  MAX_COST: z.coerce.number().int().positive().default(1000),
  RATE_POINTS_PER_SECOND: z.coerce.number().positive().optional(),
  RATE_BUCKET_SECONDS: z.coerce.number().positive().default(60),
  TRUSTED_DOCUMENTS: z.enum(['on', 'only']).default('on'),
  TRUSTED_DOCUMENTS_FILE: z.string().optional(),
  CACHE_CONTROL: z.string().optional(),
  INTROSPECTION: z.enum(['on', 'authenticated', 'off']).optional(),
  CORS_ORIGINS: list,
  TRUST_PROXY: list,
  BODY_LIMIT_BYTES: z.coerce.number().int().positive().default(1_048_576),
  REQUEST_TIMEOUT_MS: milliseconds.default(10_000),
  MAX_EVENT_LOOP_DELAY_MS: z.coerce.number().int().nonnegative().default(1000),
  SELF_AUDIT_RATE: z.coerce.number().min(0).max(1).default(0.0001),
  SLOW_REQUEST_MS: z.coerce.number().int().nonnegative().default(1000),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http', 'https').optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  JWT_SECRET: z.string().min(32, 'expected at least 32 characters').optional(),
  JWT_PUBLIC_KEY: z.string().startsWith('-----BEGIN PUBLIC KEY-----', 'expected a public key in PEM').optional(),
  JWT_AUDIENCE: z.string().optional(),
  REQUIRE_AUTH: flag.default(false),
  KEEP_ALIVE_TIMEOUT_MS: milliseconds.default(75_000),
  SHUTDOWN_DELAY_MS: z.coerce.number().int().nonnegative().optional(),
  SHUTDOWN_TIMEOUT_MS: milliseconds.default(10_000),
});

/** The variables of an environment that has the form, defaults filled in. */
export type Variables = z.infer<typeof environment>;
