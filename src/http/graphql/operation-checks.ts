import type { FastifyRequest } from 'fastify';
import type { PreparedOperation } from '../documents/prepare-document.ts';
import { RequestRefused } from '../errors/request-refused.ts';

/** Who may ask for the schema itself: everybody, bearers of a token, or nobody. */
export type Introspection = 'on' | 'authenticated' | 'off';

/**
 * Refuses mutations by GET, since any link could send one.
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
 * Refuses introspection by those who may not see the schema.
 *
 * @param operation the operation
 * @param request the request that carries it
 * @param introspection who may see it
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
