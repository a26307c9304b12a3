import fastify, { type FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Registry } from 'prom-client';

/**
 * A server of its own for `/metrics`, so that the public port never has it.
 *
 * @returns the server, not listening yet
 */
export function createMetricsApp(): FastifyInstance {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const app = fastify({ forceCloseConnections: true });
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  return app;
}
