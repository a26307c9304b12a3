import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import helmet from '@fastify/helmet';
import statics from '@fastify/static';
import plugin from 'fastify-plugin';

const packages = createRequire(import.meta.url);

/** The page's assets, each from the npm package that ships it, so that nothing is loaded from another host. */
const ASSETS = [
  'react/umd/react.production.min.js',
  'react-dom/umd/react-dom.production.min.js',
  'graphiql/graphiql.min.js',
  'graphiql/graphiql.min.css',
];

/** Serves GraphiQL at `/graphiql` from npm assets alone, under a policy that allows no other host and no inline code. */
export const graphiqlPlugin = plugin(
  async (app) => {
    await app.register(async (scope) => {
      await scope.register(helmet, {
        contentSecurityPolicy: {
          useDefaults: false,
          directives: {
            defaultSrc: ["'self'"],
            // CodeMirror draws its icons as data URLs.
            imgSrc: ["'self'", 'data:'],
            baseUri: ["'none'"],
            formAction: ["'none'"],
            frameAncestors: ["'none'"],
            objectSrc: ["'none'"],
          },
        },
      });
      await scope.register(statics, { root: fileURLToPath(new URL('page', import.meta.url)), serve: false });
      scope.get('/graphiql', (_request, reply) => reply.sendFile('index.html'));
      scope.get('/graphiql/main.js', (_request, reply) => reply.sendFile('main.js'));
      scope.get('/graphiql/main.css', (_request, reply) => reply.sendFile('main.css'));
      for (const asset of ASSETS) {
        const name = asset.slice(asset.lastIndexOf('/') + 1);
        const root = dirname(packages.resolve(asset));
        scope.get(`/graphiql/${name}`, (_request, reply) => reply.sendFile(name, root));
      }
    });
  },
  { name: 'larder-graphiql', fastify: '5.x' },
);
