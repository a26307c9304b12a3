import type { FastifyRequest } from 'fastify';

/**
 * Whether a request is shown what it did: the configuration allows it, and unless it says `always`, the request asks
 * for it.
 *
 * @param inspect what the configuration says
 * @param request the request
 * @returns true when it is shown
 */
export function isInspected(inspect: 'off' | 'header' | 'always', { headers }: FastifyRequest): boolean {
  return inspect === 'always' || (inspect === 'header' && headers['x-inspect'] === '1');
}
