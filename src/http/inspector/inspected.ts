import type { FastifyRequest } from 'fastify';

/**
 * Tells whether a response shows what its request did. The configuration must allow it. Unless that says `always`, the request must ask for
 * it.
 *
 * @param inspect what the configuration says
 * @param request the request
 * @returns whether the response shows it
 */
export function isInspected(inspect: 'off' | 'header' | 'always', { headers }: FastifyRequest): boolean {
  return inspect === 'always' || (inspect === 'header' && headers['x-inspect'] === '1');
}
