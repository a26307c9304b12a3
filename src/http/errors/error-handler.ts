import type { Socket } from 'node:net';
import accepts from '@fastify/accepts';
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import plugin from 'fastify-plugin';
import { RequestRefused } from './request-refused.ts';
import { sendError } from './send-error.ts';

/** The methods that `/graphql` takes. */
export const TAKEN = ['GET', 'HEAD', 'POST'];

/** Answers errors outside of the execution of a query. An answer never contains what the client wrote. */
export const errorHandlerPlugin = plugin(
  async (app) => {
    if (!app.hasRequestDecorator('accepts')) await app.register(accepts);
    app.setErrorHandler(sendError);
  },
  { name: 'larder-error-handler', fastify: '5.x' },
);

/** Answers requests without a route, in a server that has no routes but Larder's. */
export const notFoundPlugin = plugin(
  async (app) => {
    // Refused before the body is read.
    app.addHook('onRequest', (request, reply, done) => {
      if (request.is404) void answerNotThere(request, reply);
      else done();
    });
    app.setNotFoundHandler(answerNotThere);
  },
  { name: 'larder-not-found', fastify: '5.x', dependencies: ['larder-error-handler'] },
);

/**
 * Answers the methods that `/graphql` does not take, in a server that has other routes, too.
 *
 * @param app the instance
 */
export function refuseOtherMethods(app: FastifyInstance): void {
  const method = app.supportedMethods.filter((name) => !TAKEN.includes(name));
  app.route({
    method: method as HTTPMethods[],
    url: '/graphql',
    // Refused before the body is read.
    onRequest: (request, reply) => void answerMethod(request, reply),
    handler: answerMethod,
  });
}

/**
 * Answers a URL that fastify cannot read, such as `/%zz`. Fastify has not yet called the hooks of plugins for it.
 *
 * @param reply the reply to send
 */
export function answerBadUrl(reply: FastifyReply): void {
  void reply.code(400).type('application/json; charset=utf-8').send(textOf('BAD_REQUEST', 'The URL cannot be read.'));
}

/**
 * Answers a connection that sends no HTTP, a head that is too long, or a request too slowly. Node's error holds every byte that came, so
 * none of it is logged.
 *
 * @param error what Node says is wrong
 * @param socket the connection
 */
export function answerBadConnection(this: FastifyInstance, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  // Node counts from the opening of a connection. Until a client begins to send, it is only idle (connections.ts).
  if (late && socket.bytesRead === 0) return;
  this.log.debug({ code: error.code }, 'a connection was given up');
  // The client sent on after its answer, and has received it.
  if (late && this.hasDecorator('isAnswered') && this.isAnswered(socket)) socket.destroy();
  else if (late) giveUp(socket);
  else if (error.code === 'HPE_HEADER_OVERFLOW') {
    hangUp(socket, '431 Request Header Fields Too Large', 'HEADERS_TOO_LARGE', 'The headers are too large.');
  } else hangUp(socket, '400 Bad Request', 'BAD_REQUEST', 'This is not HTTP.');
}

/**
 * Answers a request that has not come in in time, and closes its connection.
 *
 * @param socket the connection
 */
export function giveUp(socket: Socket): void {
  hangUp(socket, '408 Request Timeout', 'REQUEST_TIMEOUT', 'The request took too long to come in.');
}

function hangUp(socket: Socket, status: string, code: string, message: string): void {
  const body = textOf(code, message);
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}

/** There is no route for this method and path. */
function answerNotThere(request: FastifyRequest, reply: FastifyReply) {
  if (request.url.split('?', 1)[0] !== '/graphql') {
    return sendError(new RequestRefused(404, 'NOT_FOUND', 'There is nothing here.'), request, reply);
  }
  return answerMethod(request, reply);
}

/** `/graphql` does not take this method. */
function answerMethod(request: FastifyRequest, reply: FastifyReply) {
  reply.header('allow', TAKEN.join(', '));
  // Without CORS headers, this answer allows no page of another site anything. Safari waits for a body unless a length says that there is
  // none.
  if (request.method === 'OPTIONS') return reply.code(204).header('content-length', '0').send();
  return sendError(new RequestRefused(405, 'METHOD_NOT_ALLOWED', 'Use GET or POST.'), request, reply);
}

function textOf(code: string, message: string): string {
  return JSON.stringify({ errors: [{ message, extensions: { code } }] });
}
