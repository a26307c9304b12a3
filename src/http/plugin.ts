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
  // An encapsulated context: its hooks, decorators, body parsers and error handler apply to these routes alone.
  await app.register(
    async (scope) => {
      await serveOn(scope, options);
      refuseOtherMethods(scope);
    },
    { prefix: options.prefix },
  );
};

/**
 * Serves a schema over a Larder at `/graphql`, with all that belongs to it, on any Fastify. The app's own routes, hooks, error handler and
 * plugins work as before. It may be registered several times, each under its own prefix.
 *
 * @throws {WrongValue} naming each wrong option
 */
export const larderFastify = plugin(register, { name: 'larder', fastify: '5.x' });
