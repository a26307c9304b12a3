// Pothos with its Prisma plugin, in fastify and mercurius. The plugin turns a query's selection into one call of Prisma's client. The client
// is the one without a Rust engine, over the driver `pg`. The plugin is slower with compiled queries (mercurius' `jit`), so they are off.
import { fastify } from 'fastify';
import mercurius from 'mercurius';
import { settings } from '../support/settings.ts';
import { schema } from './schema.ts';

const app = fastify();
await app.register(mercurius, { schema });
await app.listen({ host: settings.host, port: settings.port });
