/**
 * GraphQL over a Larder on Fastify: a plugin for any server, and settings that only the owner of a server can decide.
 *
 * @module
 */
import { larderFastify } from './plugin.ts';

export { type DrainingOptions, drainingPlugin as larderDraining } from './connections/draining.ts';
export { type StopOptions, type Stoppable, stopOnSignals } from './connections/stop-on-signals.ts';
export { describeCosts } from './cost/describe-costs.ts';
export type { ContextFactory } from './graphql/graphql.ts';
export type { AuthOptions, Identify } from './guards/auth.ts';
export { parseCorsOrigin } from './guards/cors-origin.ts';
export { parsePublicKey } from './guards/public-key.ts';
export { parseTrustedProxy } from './guards/trusted-proxy.ts';
export type { Viewer } from './guards/viewer.ts';
export type {
  DocumentOptions,
  LarderFastifyOptions,
  LimitOptions,
  LogOptions,
  MetricsOptions,
  ServedLarder,
} from './options.ts';
export { type CreateServerOptions, createServer, metricsServer, type ServerOptions, serverOptions } from './server.ts';
export { larderFastify };

export default larderFastify;
