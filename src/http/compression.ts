import { constants } from 'node:zlib';
import compress from '@fastify/compress';
import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { RequestState } from './request-state.ts';

/** Shorter answers fit into one packet as they are, so compression saves no time. */
const MIN_LENGTH = 1400;

/**
 * Longer answers are compressed in a thread, outside of the event loop. For shorter ones, a thread and a stream cost more than they save.
 */
const MAX_INLINE_BYTES = 131_072;

/** The lowest level. Higher ones take much longer, and make a page of entities hardly smaller. */
const LEVEL = 1;

/** Gives replies `compress`, which answers in br or gzip if the client accepts it. Routes ask for it by their option of that name. */
export const compressionPlugin = plugin(
  async (app) => {
    // An app that has the plugin already sets its own options.
    if (app.hasReplyDecorator('compress')) return;
    await app.register(compress, {
      global: false,
      globalDecompression: false,
      // A client may prefer an answer that is not compressed.
      encodings: ['br', 'gzip', 'identity'],
      threshold: MIN_LENGTH,
      syncThreshold: MAX_INLINE_BYTES,
      brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: LEVEL } },
      zlibOptions: { level: LEVEL },
    });
  },
  { name: 'larder-compression', fastify: '5.x' },
);

/**
 * Sends a body, compressed where that saves time.
 *
 * @param body what to send; bytes are UTF-8
 * @param state the request's state, which records the length of the body
 * @param request the request
 * @param reply its reply
 * @returns the reply, sent
 */
export function sendCompressed(
  body: string | Buffer,
  state: RequestState,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  if (body.length < MIN_LENGTH || request.headers['accept-encoding'] === undefined) return reply.send(body);
  state.bytes = Buffer.byteLength(body);
  return reply.compress(body);
}
