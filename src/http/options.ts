import type { GraphQLSchema } from 'graphql';
import type { Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import type { Larder } from '../larder-face.ts';
import type { ContextFactory } from './graphql/graphql.ts';
import type { Introspection } from './graphql/operation-checks.ts';
import type { AuthOptions, Identify } from './guards/auth.ts';

/** What a Larder's server takes of it. */
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
  /** What an operation may cost at most, in points. 1,000 when it is not given. */
  readonly maxCost?: number;
  /** Points that flow into each client's bucket, and the most that it holds; `null`, or left out, where clients do not pay. */
  readonly rate?: { readonly perSecond: number; readonly maximum: number } | null;
  /** How long a body may be, in bytes. 1,048,576 when it is not given. */
  readonly bodyBytes?: number;
  /** How long a request may take to be answered, in milliseconds. 10,000 when it is not given. */
  readonly requestTimeoutMs?: number;
  /** How long the event loop may lag before requests are turned away, in milliseconds; 0 for ever. 1,000 when it is not given. */
  readonly maxEventLoopDelayMs?: number;
}

/** Documents that clients may name instead of sending them. */
export interface DocumentOptions {
  /** JSON of `{hash: text}` as `npx larder documents` writes it; `null`, or left out, for none. */
  readonly file?: string | null;
  /** Whether any other text is refused. */
  readonly only?: boolean;
  /** `Cache-Control` of anonymous GETs of trusted documents; `null`, or left out, to forbid storing them. */
  readonly cacheControl?: string | null;
}

/** What is logged of requests, one line each. */
export interface LogOptions {
  /** Requests that take longer are logged as slow, in milliseconds. 1,000 when it is not given. */
  readonly slowRequestMs?: number;
  /** Which share of the requests that are neither slow nor wrong are logged, from 0 to 1. 1 when it is not given. */
  readonly rate?: number;
}

/** Where metrics are served, and what else is. */
export interface MetricsOptions {
  /** The path below the prefix; `null` for no route, where a registry of one's own is served elsewhere. `/metrics` when it is not given. */
  readonly path?: string | null;
  /** A registry of prom-client of one's own; else one of ours, with the metrics of the process. */
  readonly registry?: Registry;
}

/** What `larderFastify` is told. */
export interface LarderFastifyOptions {
  /** The Larder. Whoever opened it closes it: `app.addHook('onClose', () => larder.close())`. */
  readonly larder: ServedLarder;
  readonly schema: GraphQLSchema;
  /** Comes before each path, as with any plugin of Fastify; none when it is not given. */
  readonly prefix?: string;
  /** What resolvers find in their context beside what Larder puts there: `repositories`, `scope`, `collected`. */
  readonly context?: ContextFactory | null;
  /**
   * Who sent a request: bearer tokens that a key checks, or a function of one's own. `null` asks nobody: then whoever reaches `/graphql` may
   * write, unless hooks of one's own keep them out. Left out, everybody may read and nobody may write.
   */
  readonly auth?: AuthOptions | Identify | null;
  readonly limits?: LimitOptions;
  readonly documents?: DocumentOptions;
  /** Who may ask for the schema itself. `on` in development, else `authenticated`. */
  readonly introspection?: Introspection;
  /** Whether `extensions.dataFetching` tells what a request did: never, to who sends `x-inspect: 1`, or always. `header` in development, else `off`. */
  readonly inspect?: 'off' | 'header' | 'always';
  /** GraphiQL with the inspector, at `/graphiql`; off when it is not given. It needs the packages graphiql, react and react-dom. */
  readonly graphiql?: boolean | { readonly exampleQuery: string };
  /** Whether answers are compressed for clients that take that. Yes when it is not given. */
  readonly compression?: boolean;
  /** The origins whose pages may read answers; `null` leaves pages of other sites to a plugin of one's own. None when it is not given. */
  readonly corsOrigins?: readonly string[] | null;
  /** Whether `/healthz` and `/readyz` are served. Yes when it is not given. */
  readonly health?: boolean;
  /** Metrics on this server; off when it is not given. `metricsServer` serves them on a port that is not public. */
  readonly metrics?: boolean | MetricsOptions;
  /** A line of the log for each request; `false` for none. */
  readonly log?: boolean | LogOptions;
  /**
   * Spans for what is asked of the stores: `true` in traces of the process's own OpenTelemetry, an endpoint to send them there by OTLP. Off
   * when it is not given. It needs packages of OpenTelemetry.
   */
  readonly tracing?: boolean | { readonly endpoint: string };
  /** Makes the schema once more, to answer Apollo's router with traces of fields; `null`, or left out, for no such traces. */
  readonly apolloTracing?: (() => GraphQLSchema) | null;
  /** Whether answers warn of ids that cannot name anything, and statements may be explained. Unless NODE_ENV is `production`. */
  readonly development?: boolean;
  /** The time; the machine's when it is not given. */
  readonly clock?: Clock;
}
