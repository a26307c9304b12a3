import plugin from 'fastify-plugin';

/** What the health routes report on. */
export interface Health {
  /** @returns whether Postgres answers */
  postgres(): Promise<boolean>;
  /** @returns whether Redis answers; `null` when none is configured */
  redis(): Promise<boolean | null>;
  /** @returns what waited in the outbox at the last look, and for how long, in milliseconds; `null` before the first */
  outbox(): { readonly depth: number; readonly ageMs: number } | null;
  /** @returns why Redis is not used, although it answers; `null` when it is used */
  refused(): string | null;
  /** @returns whether what Redis holds is used, not yet, or not; `null` when no Redis is configured */
  domain(): 'joined' | 'joining' | 'refused' | null;
  /** @returns what is wrong, although the stores answer: a line for each */
  problems(): readonly string[];
  /** @returns whether a table is missing, so that nearly every query fails */
  unmigrated(): boolean;
}

/** Serves `/healthz` (the process is alive) and `/readyz` (it can answer queries). */
export const healthPlugin = plugin<{ health: Health; version: string }>(
  async (app, { health, version }) => {
    app.get('/healthz', { logLevel: 'silent' }, async () => ({ status: 'alive', version }));
    app.get('/readyz', { logLevel: 'silent' }, async (_request, reply) => {
      const [postgres, redis] = await Promise.all([health.postgres(), health.redis()]);
      const draining = app.hasDecorator('draining') && app.draining();
      const refused = health.refused();
      const problems = health.problems();
      const unavailable = !postgres || health.unmigrated();
      const degraded = redis === false || problems.length > 0;
      const status = draining ? 'draining' : unavailable ? 'unavailable' : degraded ? 'degraded' : 'ready';
      const outbox = health.outbox();
      return reply.code(draining || unavailable ? 503 : 200).send({
        status,
        postgres,
        redis,
        domain: health.domain(),
        outbox: outbox === null ? null : { depth: outbox.depth, ageMs: Math.round(outbox.ageMs) },
        ...(refused === null ? {} : { refused }),
        ...(problems.length === 0 ? {} : { reason: problems.join(' ') }),
      });
    });
  },
  { name: 'larder-health', fastify: '5.x' },
);
