import plugin from 'fastify-plugin';

/**
 * Adds `Server-Timing` to the responses of inspected requests (W3C Server Timing). A browser's own tools then show how long Postgres, Redis
 * and the whole request took.
 */
export const serverTimingPlugin = plugin(
  async (app) => {
    app.addHook('onSend', (request, reply, payload, done) => {
      const { larderState: state } = request;
      if (state?.inspected !== true) return done(null, payload);
      const { sql, redis } = state.scope.trace;
      const durations = { sql: sql.ms, redis: redis.ms, total: reply.elapsedTime };
      const metrics = Object.entries(durations).map(([name, ms]) => `${name};dur=${ms.toFixed(3)}`);
      reply.header('server-timing', metrics.join(', '));
      done(null, payload);
    });
  },
  { name: 'larder-server-timing', fastify: '5.x', dependencies: ['larder-request-state'] },
);
