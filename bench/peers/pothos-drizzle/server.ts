// Pothos with its Drizzle plugin, which turns a query's selection into one statement, in fastify and mercurius. Without
// compiled queries (mercurius' `jit`): the plugin reads the selection, and is slower with them.
import { fastify } from 'fastify';
import mercurius from 'mercurius';
import { settings } from '../support/settings.ts';
import { schema } from './schema.ts';

const app = fastify();
await app.register(mercurius, { schema });
await app.listen({ host: settings.host, port: settings.port });
