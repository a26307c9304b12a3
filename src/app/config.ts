import { WrongValue } from '../index.ts';
import { environment, type Variables } from './environment.ts';
import { contradictionIn } from './settings/contradiction.ts';
import { misspeltVariables } from './settings/misspelt-variables.ts';
import { SECRETS, withSecretFiles } from './settings/secret-files.ts';

/** The settings of one process, read once at start and passed to what needs them. */
export interface Config {
  readonly production: boolean;
  readonly database: {
    readonly url: string;
    readonly poolSize: number;
    readonly statementTimeoutMs: number;
    /** Streaming replicas at which lists may be read. */
    readonly replicas: readonly string[];
    readonly maxReplicaLagMs: number;
  };
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** How long an idle connection stays open, in milliseconds. */
    readonly keepAliveTimeoutMs: number;
    /** How long the process goes on accepting connections after it says that it will stop, in milliseconds. Proxies notice meanwhile. */
    readonly shutdownDelayMs: number;
    /** How long stopping may take after that, in milliseconds. */
    readonly shutdownTimeoutMs: number;
  };
  readonly metrics: { readonly host: string; readonly port: number };
  readonly cache: {
    /** `null` when no Redis is configured. */
    readonly redisUrl: string | null;
    readonly redisTimeoutMs: number;
    readonly prefix: string;
    readonly ttlMs: number;
    readonly maxStalenessMs: number;
    readonly memoryTtlMs: number;
    readonly memoryMaxEntries: number;
    /** `undefined` for a share of the heap. */
    readonly memoryMaxBytes: number | undefined;
    /** The share of reads by id answered by caches that is checked against Postgres, from 0 to 1. */
    readonly selfAuditRate: number;
  };
  readonly inspect: 'off' | 'header' | 'always';
  readonly graphiql: boolean;
  /** Whether Apollo's router may ask for a trace of the fields. */
  readonly apolloTracing: boolean;
  readonly limits: {
    readonly maxCost: number;
    /** `null` when clients have no budget of points. */
    readonly rate: { readonly perSecond: number; readonly maximum: number } | null;
    readonly bodyBytes: number;
    readonly requestTimeoutMs: number;
    readonly maxEventLoopDelayMs: number;
  };
  readonly documents: {
    /** The path of the trusted documents; `null` for none. */
    readonly file: string | null;
    readonly only: boolean;
    /** `null` to forbid storing responses. */
    readonly cacheControl: string | null;
  };
  readonly introspection: 'on' | 'authenticated' | 'off';
  /** Whether answers are compressed for clients that accept it. */
  readonly compression: boolean;
  readonly corsOrigins: readonly string[];
  readonly trustProxy: readonly string[];
  readonly auth: {
    /** `null` when no key is configured. Then nobody may write. */
    readonly key:
      | { readonly secret: string }
      | { readonly publicKey: string }
      /** The URL of a set of keys (RFC 7517): `https:`, `http:` or `file:`. */
      | { readonly jwksUrl: string }
      | null;
    readonly required: boolean;
    readonly audience: string | null;
    readonly issuer: string | null;
  };
  readonly logLevel: string;
  /** Requests that take longer are logged with their slowest statement, in milliseconds. */
  readonly slowRequestMs: number;
  /** The share of requests that is logged, from 0 to 1, of those that are neither slow nor wrong. */
  readonly requestLogRate: number;
  /** The URL that traces go to; `null` for nowhere. */
  readonly otlpEndpoint: string | null;
  /** Variables that look like settings but are none. */
  readonly misspelt: ReturnType<typeof misspeltVariables>;
}

/** The environment does not describe a server that can start. The message names each variable and what it should be. */
export class ConfigError extends WrongValue {
  override name = 'ConfigError';
}

/**
 * Reads the environment. An empty variable counts as absent, which is what `FOO=` in a `.env` file means.
 *
 * @param env the variables, such as `process.env`
 * @returns the validated settings, defaults filled in
 * @throws {ConfigError} naming every variable that is missing or wrong
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const present = Object.fromEntries(
    Object.entries(resolveSecrets(env)).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environment.safeParse(present);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`The settings are wrong:\n${problems.join('\n')}\nSee .env.example for each variable.`);
  }
  const e = parsed.data;
  const contradiction = contradictionIn(e);
  if (contradiction !== null) throw new ConfigError(contradiction);
  const production = e.NODE_ENV === 'production';
  return {
    production,
    database: {
      url: e.DATABASE_URL,
      poolSize: e.DATABASE_POOL_SIZE,
      statementTimeoutMs: e.STATEMENT_TIMEOUT_MS,
      replicas: e.DATABASE_REPLICA_URLS ?? [],
      maxReplicaLagMs: e.MAX_REPLICA_LAG_MS,
    },
    http: {
      host: e.HOST,
      port: e.PORT,
      keepAliveTimeoutMs: e.KEEP_ALIVE_TIMEOUT_MS,
      shutdownDelayMs: e.SHUTDOWN_DELAY_MS ?? (production ? 5000 : 0),
      shutdownTimeoutMs: e.SHUTDOWN_TIMEOUT_MS,
    },
    metrics: { host: e.METRICS_HOST, port: e.METRICS_PORT },
    cache: {
      redisUrl: e.REDIS_URL ?? null,
      redisTimeoutMs: e.REDIS_TIMEOUT_MS,
      prefix: e.CACHE_PREFIX,
      ttlMs: e.CACHE_TTL_SECONDS * 1000,
      maxStalenessMs: e.MAX_STALENESS_MS,
      memoryTtlMs: e.MEMORY_TTL_MS,
      memoryMaxEntries: e.MEMORY_MAX_ENTRIES,
      memoryMaxBytes: e.MEMORY_MAX_BYTES,
      selfAuditRate: e.SELF_AUDIT_RATE,
    },
    inspect: e.INSPECT ?? (production ? 'off' : 'header'),
    graphiql: e.GRAPHIQL ?? !production,
    apolloTracing: e.APOLLO_TRACING,
    limits: {
      maxCost: e.MAX_COST,
      rate:
        e.RATE_POINTS_PER_SECOND === undefined
          ? null
          : { perSecond: e.RATE_POINTS_PER_SECOND, maximum: e.RATE_POINTS_PER_SECOND * e.RATE_BUCKET_SECONDS },
      bodyBytes: e.BODY_LIMIT_BYTES,
      requestTimeoutMs: e.REQUEST_TIMEOUT_MS,
      maxEventLoopDelayMs: e.MAX_EVENT_LOOP_DELAY_MS,
    },
    documents: {
      file: e.TRUSTED_DOCUMENTS_FILE ?? null,
      only: e.TRUSTED_DOCUMENTS === 'only',
      cacheControl: e.CACHE_CONTROL ?? null,
    },
    introspection: e.INTROSPECTION ?? (production ? 'authenticated' : 'on'),
    compression: e.COMPRESSION,
    corsOrigins: e.CORS_ORIGINS,
    trustProxy: e.TRUST_PROXY,
    auth: { key: keyOf(e), required: e.REQUIRE_AUTH, audience: e.JWT_AUDIENCE ?? null, issuer: e.JWT_ISSUER ?? null },
    logLevel: e.LOG_LEVEL,
    slowRequestMs: e.SLOW_REQUEST_MS,
    requestLogRate: e.REQUEST_LOG_RATE,
    otlpEndpoint: e.OTEL_EXPORTER_OTLP_ENDPOINT ?? null,
    misspelt: misspeltVariables(env, [...Object.keys(environment.shape), ...SECRETS.map((name) => `${name}_FILE`)]),
  };
}

function keyOf({ JWT_SECRET, JWT_PUBLIC_KEY, JWT_JWKS_URL }: Variables): Config['auth']['key'] {
  if (JWT_SECRET !== undefined) return { secret: JWT_SECRET };
  if (JWT_PUBLIC_KEY !== undefined) return { publicKey: JWT_PUBLIC_KEY };
  return JWT_JWKS_URL === undefined ? null : { jwksUrl: JWT_JWKS_URL };
}

/**
 * @param env the variables of the process
 * @returns the same, with secrets in place of the files that hold them
 * @throws {ConfigError} naming a file that cannot be read
 */
export function resolveSecrets(env: Record<string, string | undefined>): Record<string, string | undefined> {
  try {
    return withSecretFiles(env);
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    throw new ConfigError(error.message, { cause: error });
  }
}
