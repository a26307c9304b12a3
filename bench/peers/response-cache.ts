// A cache of whole responses in memory: GraphQL Yoga with its response cache plugin, over the schema of the peer with Pothos and Drizzle. A
// write through this server drops the responses that show what it wrote. Writes of others are not noticed. A request with an `x-session`
// has a cache of its own, so each of them is new.
import { createServer } from 'node:http';
import { createInMemoryCache, useResponseCache } from '@graphql-yoga/plugin-response-cache';
import { createYoga } from 'graphql-yoga';
import { schema } from './pothos-drizzle/schema.ts';
import { settings } from './support/settings.ts';

const yoga = createYoga({
  schema,
  graphiql: false,
  logging: false,
  plugins: [
    useResponseCache({
      session: (request) => request.headers.get('x-session'),
      cache: createInMemoryCache({ max: 5000 }),
    }),
  ],
});

createServer(yoga).listen(settings.port, settings.host);
