import type { FastifyRequest } from 'fastify';
import type { PreparedOperation } from '../documents/prepare-document.ts';
import { RequestRefused } from '../errors/request-refused.ts';

/** Who may ask for the schema itself: everybody, bearers of a token, or nobody. */
export type Introspection = 'on' | 'authenticated' | 'off';

/**
 * Lets mutations come by POST only: one by GET could be sent by any link.
 *
 * @param operation the operation
 * @param request the request that carries it
 * @throws {RequestRefused} 405
 */
export function checkMethod(operation: PreparedOperation, request: FastifyRequest): void {
  if (request.method === 'POST' || !operation.isMutation) return;
  throw new RequestRefused(405, 'METHOD_NOT_ALLOWED', 'Mutations need a POST.', { headers: { allow: 'POST' } });
}

/**
 * Shows the schema only to those who may see it.
 *
 * @param operation the operation
 * @param request the request that carries it
 * @param introspection who may
 * @throws {RequestRefused} INTROSPECTION_OFF
 */
export function checkIntrospection(
  operation: PreparedOperation,
  request: FastifyRequest,
  introspection: Introspection,
): void {
  if (!operation.introspects || introspection === 'on') return;
  if (introspection === 'authenticated' && request.larderViewer !== null) return;
  throw new RequestRefused(400, 'INTROSPECTION_OFF', 'This server does not show its schema to you.', {
    wellFormed: true,
  });
}
