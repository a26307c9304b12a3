import type { FastifyRequest } from 'fastify';
import { RequestRefused } from '../errors/request-refused.ts';

/**
 * Refuses requests of other sites' pages. The browser says where a page comes from. A page may ask only if it may read the answer, too
 * (Fetch Metadata Request Headers, section 2).
 *
 * @param request the request
 * @param corsOrigins the origins whose pages may read responses
 * @throws {RequestRefused} 403
 */
export function checkSite(request: FastifyRequest, corsOrigins: readonly string[]): void {
  const site = request.headers['sec-fetch-site'];
  const foreign = site === 'cross-site' || site === 'same-site';
  if (foreign && !corsOrigins.includes(request.headers.origin ?? '')) {
    throw new RequestRefused(403, 'CROSS_SITE', 'Pages of other sites may not ask here.');
  }
}
