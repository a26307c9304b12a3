import type { GraphQLSchema } from 'graphql';
import type { Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import type { Larder } from '../larder-face.ts';
import type { ContextFactory } from './graphql/graphql.ts';
import type { Introspection } from './graphql/operation-checks.ts';
import type { AuthOptions, Identify } from './guards/auth.ts';

/** The parts of a Larder that its server needs. */
export type ServedLarder = Pick<
  Larder,
  | 'repositories'
  | 'health'
  | 'gauges'
  | 'channels'
  | 'pointBuckets'
  | 'explain'
  | 'doctor'
  | 'transaction'
  | 'createContext'
>;

/** How much one request may ask for, and for how long. */
export interface LimitOptions {
  /** The most that an operation may cost, in points; 1,000 when it is left out. */
  readonly maxCost?: number;
  /** Points that flow into each client's bucket, and the most that it holds; `null`, or left out, for no such limit. */
  readonly rate?: { readonly perSecond: number; readonly maximum: number } | null;
  /** The longest body, in bytes; 1,048,576 when it is left out. */
  readonly bodyBytes?: number;
  /** How long a request may take to be answered, in milliseconds; 10,000 when it is left out. */
  readonly requestTimeoutMs?: number;
  /** How long the event loop may lag before requests are refused, in milliseconds; 1,000 when it is left out. With 0 they never are. */
  readonly maxEventLoopDelayMs?: number;
}

/** Documents that clients may name instead of sending them. */
export interface DocumentOptions {
  /** The path of JSON `{hash: text}`, as `npx larder documents` writes it; `null`, or left out, for none. */
  readonly file?: string | null;
  /** Whether any other text is refused. */
  readonly only?: boolean;
  /**
   * `Cache-Control` of GETs of trusted documents with neither `Authorization` nor cookies; `null`, or left out, to forbid storing them. It
   * cannot be set where `auth` is `null` or a function.
   */
  readonly cacheControl?: string | null;
}

/** Which requests are logged, one line each. */
export interface LogOptions {
  /** Requests that take longer are logged as slow, in milliseconds; 1,000 when it is left out. */
  readonly slowRequestMs?: number;
  /** The share of requests that is logged, from 0 to 1, of those that are neither slow nor wrong; 1 when it is left out. */
  readonly rate?: number;
}

/** Where metrics are served, and which. */
export interface MetricsOptions {
  /**
   * The path below the prefix; `/metrics` when it is left out. `null` makes no route, where a registry of one's own is served elsewhere.
   */
  readonly path?: string | null;
  /** A registry of prom-client of one's own. When it is left out, a new one, which has the metrics of the process, too. */
  readonly registry?: Registry;
}

/** What `larderFastify` is told. */
export interface LarderFastifyOptions {
  /** The Larder. Whoever opened it closes it: `app.addHook('onClose', () => larder.close())`. */
  readonly larder: ServedLarder;
  readonly schema: GraphQLSchema;
  /** Comes before each path, as with any plugin of Fastify; none when it is left out. */
  readonly prefix?: string;
  /**
   * Makes what resolvers find in their context, beside Larder's own `repositories`, `scope` and `collected`, and `app` and `reply`. Its own
   * properties are copied there, so the methods of a class are not.
   */
  readonly context?: ContextFactory | null;
  /**
   * Who may read and write: holders of bearer tokens that a key checks, or those whom a function of one's own identifies. `null` checks
   * nobody. Then whoever reaches `/graphql` may write, unless hooks of one's own refuse it. When it is left out, everybody may read and
   * nobody may write.
   */
  readonly auth?: AuthOptions | Identify | null;
  readonly limits?: LimitOptions;
  readonly documents?: DocumentOptions;
  /** Who may ask for the schema itself; `on` in development, otherwise `authenticated`. */
  readonly introspection?: Introspection;
  /**
   * Whether `extensions.dataFetching` shows what a request did: never, for requests with `x-inspect: 1`, or always. It is `header` in
   * development, otherwise `off`.
   */
  readonly inspect?: 'off' | 'header' | 'always';
  /** GraphiQL with the inspector, at `/graphiql`; off when it is left out. It needs the packages graphiql, react and react-dom. */
  readonly graphiql?: boolean | { readonly exampleQuery: string };
  /** Whether answers are compressed for clients that accept it; yes when it is left out. */
  readonly compression?: boolean;
  /** The origins whose pages may read answers; none when it is left out. `null` leaves CORS to a plugin of one's own. */
  readonly corsOrigins?: readonly string[] | null;
  /** Whether `/healthz` and `/readyz` are served; yes when it is left out. */
  readonly health?: boolean;
  /** Metrics on this server; off when it is left out. `metricsServer` serves them on a port that is not public. */
  readonly metrics?: boolean | MetricsOptions;
  /** A line of the log for each request; `false` for none. */
  readonly log?: boolean | LogOptions;
  /**
   * Spans for statements and round trips; off when it is left out. `true` adds them to traces of the process' own OpenTelemetry. An
   * endpoint receives them by OTLP. It needs packages of OpenTelemetry.
   */
  readonly tracing?: boolean | { readonly endpoint: string };
  /** Makes the schema again, to answer Apollo's router with traces of fields; `null`, or left out, for no such traces. */
  readonly apolloTracing?: (() => GraphQLSchema) | null;
  /**
   * Whether answers warn of ids that cannot name anything, and whether statements may be explained; yes when it is left out, unless
   * NODE_ENV is `production`.
   */
  readonly development?: boolean;
  /** The time; the machine's when it is left out. */
  readonly clock?: Clock;
}
