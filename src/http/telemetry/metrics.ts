import fastify, { type FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Channels } from '../../trace/channels.ts';
import { WrongValue } from '../../wrong-value.ts';
import { registerCacheMetrics } from './metrics/cache.ts';
import { type Gauges, registerGauges } from './metrics/gauges.ts';
import { registerReplicaMetrics } from './metrics/replicas.ts';
import { registerRequestMetrics } from './metrics/requests.ts';
import { registerStoreMetrics } from './metrics/stores.ts';

/** The sources of metrics, beside the channels. */
export interface MetricsOptions extends Gauges {
  /** The names of all entities. A count that is still 0 is then reported as 0, not absent. */
  readonly entities: readonly string[];
  /** The version of Larder. */
  readonly version: string;
  /** The channels of the Larder that is counted. */
  readonly channels: Channels;
}

/** Gauges that end in `_total`, which means a counter. Each is the sum of one that is labelled by type. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/**
 * Makes a server of its own for `/metrics`, so that the public port never has it. It listens to the channels until it is closed.
 *
 * @param options the sources, which are asked when the metrics are read
 * @returns the server, not listening yet
 */
export function createMetricsApp(options: MetricsOptions): FastifyInstance {
  const { registry, close } = openMetrics(options);
  const app = fastify({ forceCloseConnections: true });
  app.addHook('onClose', async () => close());
  serveMetrics(app, '/metrics', registry);
  return app;
}

/**
 * @param app the instance that gets the route
 * @param path the route's path
 * @param registry the metrics
 */
export function serveMetrics(app: FastifyInstance, path: string, registry: Registry): void {
  app.get(path, async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
}

/** A registry of our own, which has the metrics of the process, too. */
function ownRegistry(): Registry {
  const registry = new Registry();
  // The event loop's lag, garbage collection, memory and the process.
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  return registry;
}

/**
 * Begins to count.
 *
 * @param options the sources, which are asked when the metrics are read
 * @param registry where the metrics go; when it is left out, one of our own, with those of the process
 * @returns the registry, and a function that ends the counting
 * @throws {WrongValue} when the registry has the metrics of another Larder
 */
export function openMetrics(
  options: MetricsOptions,
  registry: Registry = ownRegistry(),
): { readonly registry: Registry; close(): void } {
  const names = () => registry.getMetricsAsArray().map(({ name }) => name);
  const theirs = new Set(names());
  if (theirs.has('larder_build_info')) {
    throw new WrongValue('metrics.registry has the metrics of a Larder already: give each a registry of its own');
  }
  new Gauge({
    name: 'larder_build_info',
    help: 'Which Larder and which Node this is; always 1.',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version: options.version, node: process.versions.node }, 1);
  registerGauges(registry, options);
  const replicas = options.replicas?.() ?? null;
  if (replicas !== null) registerReplicaMetrics(registry, replicas);
  const { channels } = options;
  const subscriptions = [
    registerRequestMetrics(registry, channels.request),
    registerStoreMetrics(registry, channels, options.breakerOpen),
    registerCacheMetrics(registry, channels, options.entities),
  ];
  const ours = names().filter((name) => !theirs.has(name));
  return {
    registry,
    close: () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      // The registry of an app goes on without metrics that are no longer counted.
      for (const name of ours) registry.removeSingleMetric(name);
    },
  };
}
