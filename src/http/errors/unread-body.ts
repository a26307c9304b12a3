import { finished } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Reads the rest of an unwanted body, and throws it away. Closing a connection while its client sends resets it, and then the client never
 * reads the answer. The reading ends when a request would have to be complete.
 *
 * @param request the request, whose body may still be coming
 * @param reply its reply, not sent yet
 */
export function readOn({ raw: request }: FastifyRequest, reply: FastifyReply): void {
  // Fastify closes the connection after a body that it does not accept.
  reply.removeHeader('connection');
  if (request.complete) return;
  const { socket } = request;
  request.resume();
  const { destroySoon } = socket;
  // Node calls it once the answer is written, when no other request follows on the connection. The client learns of it at once.
  socket.destroySoon = () => {
    socket.end();
    finished(request, () => destroySoon.call(socket));
  };
}
