// Pothos with its Prisma plugin, which turns a query's selection into one call of Prisma's client, in fastify and
// mercurius. The client is the one without a Rust engine, over the driver `pg`. Without compiled queries (mercurius'
// `jit`): the plugin reads the selection, and is slower with them.
import { fastify } from 'fastify';
import mercurius from 'mercurius';
import { settings } from '../support/settings.ts';
import { schema } from './schema.ts';

const app = fastify();
await app.register(mercurius, { schema });
await app.listen({ host: settings.host, port: settings.port });
