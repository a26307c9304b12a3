import plugin from 'fastify-plugin';

/**
 * Logs one line a request, when it is done: what it was and how it went, and nothing that a client wrote. A query string
 * may hold variables, and headers hold tokens and cookies.
 */
export const requestLogPlugin = plugin(
  async (app) => {
    app.addHook('onResponse', async (request, reply) => {
      const route = request.routeOptions.url ?? 'none';
      const line = {
        method: request.method,
        route,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
      };
      if (reply.statusCode >= 500) request.log.warn(line, 'request');
      else request.log.info(line, 'request');
    });
  },
  { name: 'larder-request-log', fastify: '5.x' },
);
