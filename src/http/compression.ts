import { constants } from 'node:zlib';
import compress from '@fastify/compress';
import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { RequestState } from './request-state.ts';

/** What is shorter goes into one packet as it is: then nobody waits for less. */
const MIN_LENGTH = 1400;

/** What is longer is compressed beside the event loop, which takes more CPU time in all: threads and streams cost more than this. */
const MAX_INLINE_BYTES = 131_072;

/** The lowest level: higher ones make a page of entities a twentieth smaller, in up to three times the time. */
const LEVEL = 1;

/** Gives replies `compress`, which answers in br or gzip if the client takes that. Routes may ask for it by their option of that name. */
export const compressionPlugin = plugin(
  async (app) => {
    // Whoever has it already says themselves how.
    if (app.hasReplyDecorator('compress')) return;
    await app.register(compress, {
      global: false,
      globalDecompression: false,
      // A client may like it best as it is.
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
 * Sends a text, compressed where that is worth it.
 *
 * @param text what to send
 * @param state the request's state, which is told how long the text was
 * @param request the request
 * @param reply its reply
 * @returns the reply, sent
 */
export function sendCompressed(text: string, state: RequestState, request: FastifyRequest, reply: FastifyReply) {
  if (text.length < MIN_LENGTH || request.headers['accept-encoding'] === undefined) return reply.send(text);
  state.bytes = Buffer.byteLength(text);
  return reply.compress(text);
}
