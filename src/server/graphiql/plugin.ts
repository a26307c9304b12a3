import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import helmet from '@fastify/helmet';
import statics from '@fastify/static';
import plugin from 'fastify-plugin';

const packages = createRequire(import.meta.url);

/** The page's assets, each from the npm package that ships it, so that nothing is loaded from another host. */
const ASSETS = [
  { package: 'react', folder: 'umd', file: 'react.production.min.js' },
  { package: 'react-dom', folder: 'umd', file: 'react-dom.production.min.js' },
  { package: 'graphiql', folder: '.', file: 'graphiql.min.js' },
  { package: 'graphiql', folder: '.', file: 'graphiql.min.css' },
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
        const root = join(dirname(packages.resolve(`${asset.package}/package.json`)), asset.folder);
        scope.get(`/graphiql/${asset.file}`, (_request, reply) => reply.sendFile(asset.file, root));
      }
    });
  },
  { name: 'larder-graphiql', fastify: '5.x' },
);
