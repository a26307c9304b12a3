import type { FastifyPluginAsync } from 'fastify';
import plugin from 'fastify-plugin';
import { refuseOtherMethods } from './errors/error-handler.ts';
import type { LarderFastifyOptions, ServedLarder } from './options.ts';
import { serveOn } from './serve.ts';
import { settle } from './settle.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The Larder that was registered first. */
    readonly larder: ServedLarder;
  }
}

const register: FastifyPluginAsync<LarderFastifyOptions> = async (app, given) => {
  const options = settle(given);
  if (!app.hasDecorator('larder')) app.decorate('larder', options.larder);
  // A part of its own: hooks, decorators, body parsers and the error handler are seen by these routes alone.
  await app.register(
    async (scope) => {
      await serveOn(scope, options);
      refuseOtherMethods(scope);
    },
    { prefix: options.prefix },
  );
};

/**
 * Serves a schema over a Larder at `/graphql`, with all that belongs to it, on anybody's Fastify: beside it their routes, hooks, error
 * handler and plugins go on as they were. It may be registered several times, under a prefix each.
 *
 * @throws {WrongValue} naming each option that cannot be meant
 */
export const larderFastify = plugin(register, { name: 'larder', fastify: '5.x' });
