import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** The last request of each connection that was answered before it had come in. */
const unread = new WeakMap<Socket, IncomingMessage>();

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
  request.resume();
  // With HTTP/2, other requests share the connection, and nothing closes it after an answer.
  if (request.httpVersionMajor > 1) return;
  const { socket } = request;
  const isKnown = unread.has(socket);
  unread.set(socket, request);
  // Each connection closes like this from then on. One function more for each request would keep them all.
  if (isKnown) return;
  const { destroySoon } = socket;
  // Node calls it once the answer is written, when no other request follows on the connection. The client learns of it at once.
  socket.destroySoon = () => {
    socket.end();
    const last = unread.get(socket);
    if (last === undefined) destroySoon.call(socket);
    else finished(last, () => destroySoon.call(socket));
  };
}
