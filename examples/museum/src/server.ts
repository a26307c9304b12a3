// src/server.ts
import Fastify from 'fastify';
import { createLarder } from 'larder';
import { larderFastify } from 'larder/fastify';
import { entities } from './entities.ts';
import { schema } from './schema.ts';

const { DATABASE_URL = '', REDIS_URL, PORT = '3000' } = process.env;
const app = Fastify({ logger: true });
const larder = await createLarder({
  entities,
  postgres: { url: DATABASE_URL },
  redis: REDIS_URL === undefined ? null : { url: REDIS_URL },
  logger: app.log,
});
app.addHook('onClose', () => larder.close());
await app.register(larderFastify, { larder, schema });
await app.listen({ port: Number(PORT) });
