import plugin from 'fastify-plugin';

/** What the health routes report on. */
export interface Health {
  /** Whether Postgres answers. */
  postgres(): Promise<boolean>;
  /** Whether Redis answers; `null` when none is configured. */
  redis(): Promise<boolean | null>;
  /** What waited in the outbox when it was last looked into, and for how long; `null` until it was. */
  outbox(): { readonly depth: number; readonly ageMs: number } | null;
  /** Why nothing that Redis holds is used, although it answers; `null` when it is used. */
  refused(): string | null;
}

/** Serves `/healthz` (the process is alive) and `/readyz` (it can answer queries). */
export const healthPlugin = plugin<{ health: Health; version: string }>(
  async (app, { health, version }) => {
    app.get('/healthz', { logLevel: 'silent' }, async () => ({ status: 'alive', version }));
    app.get('/readyz', { logLevel: 'silent' }, async (_request, reply) => {
      const [postgres, redis] = await Promise.all([health.postgres(), health.redis()]);
      const draining = app.draining();
      const refused = health.refused();
      const ready = postgres && !draining;
      const status = draining
        ? 'draining'
        : !postgres
          ? 'unavailable'
          : redis === false || refused !== null
            ? 'degraded'
            : 'ready';
      const outbox = health.outbox();
      return reply.code(ready ? 200 : 503).send({
        status,
        postgres,
        redis,
        outbox: outbox === null ? null : { depth: outbox.depth, ageMs: Math.round(outbox.ageMs) },
        ...(refused === null ? {} : { refused }),
      });
    });
  },
  { name: 'larder-health', fastify: '5.x', dependencies: ['larder-draining'] },
);
