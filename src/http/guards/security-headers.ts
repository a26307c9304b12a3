import helmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import { fastify } from 'fastify';

/**
 * The headers that @fastify/helmet answers with. They are the same for every request, but helmet builds its middlewares for each. That is
 * slow, so it is asked once.
 *
 * @param options the options of helmet
 * @returns its headers
 */
export async function securityHeaders(options: FastifyHelmetOptions): Promise<Record<string, string>> {
  const app = fastify();
  try {
    await app.register(helmet, options);
    app.get('/', async (_request, reply) => reply.raw.getHeaders());
    const { body } = await app.inject('/');
    return JSON.parse(body) as Record<string, string>;
  } finally {
    await app.close();
  }
}
