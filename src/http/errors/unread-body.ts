import { finished } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Goes on reading a body that nobody wants any more, and throws it away: a connection that is closed while its client sends is
 * reset, and then the client never reads why. It is read for as long as a request may take to come in.
 *
 * @param request the request, of which the body may be under way
 * @param reply its reply, not sent yet
 */
export function readOn({ raw: request }: FastifyRequest, reply: FastifyReply): void {
  // Fastify closes the connection after a body that it does not take.
  reply.removeHeader('connection');
  if (request.complete) return;
  const { socket } = request;
  request.resume();
  const { destroySoon } = socket;
  // Node calls it with the answer written, when no other request follows on the connection. The client hears that at once.
  socket.destroySoon = () => {
    socket.end();
    finished(request, () => destroySoon.call(socket));
  };
}
