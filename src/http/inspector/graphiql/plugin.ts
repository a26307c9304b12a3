import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import statics from '@fastify/static';
import plugin from 'fastify-plugin';
import { securityHeaders } from '../../guards/security-headers.ts';

const packages = createRequire(import.meta.url);
const PAGE = fileURLToPath(new URL('page', import.meta.url));

/** The page's assets, each from its npm package, so that the page loads nothing from another host. */
const ASSETS = [
  { package: 'react', folder: 'umd', file: 'react.production.min.js' },
  { package: 'react-dom', folder: 'umd', file: 'react-dom.production.min.js' },
  { package: 'graphiql', folder: '.', file: 'graphiql.min.js' },
  { package: 'graphiql', folder: '.', file: 'graphiql.min.css' },
];

/** The header with the page's policy. */
const POLICY = 'content-security-policy';
const NONCE = '{{nonce}}';

/** Serves GraphiQL at `/graphiql` from npm assets alone. Its policy allows no other host and no inline code. */
export const graphiqlPlugin = plugin<{ exampleQuery: string }>(
  async (app, { exampleQuery }) => {
    await app.register(async (scope) => {
      const headers = await securityHeaders({
        contentSecurityPolicy: {
          useDefaults: false,
          directives: {
            defaultSrc: ["'self'"],
            // The fonts and the icons of graphiql.min.css are data URLs.
            fontSrc: ['data:'],
            imgSrc: ["'self'", 'data:'],
            scriptSrc: ["'self'"],
            // The dialogs add a style element with this nonce, which main.js passes to them.
            styleSrc: ["'self'", `'nonce-${NONCE}'`],
            baseUri: ["'none'"],
            formAction: ["'none'"],
            frameAncestors: ["'none'"],
            objectSrc: ["'none'"],
          },
        },
        // Whoever ends TLS says whether the host speaks TLS alone, not this page.
        strictTransportSecurity: false,
      });
      const { [POLICY]: policy = '', ...others } = headers;
      // Where there is no compression, nothing reads the option.
      const compressed = { compress: {} };
      scope.addHook('onRequest', async (_request, reply) => {
        reply.headers(others).header(POLICY, policy).header('vary', 'accept-encoding');
      });
      // An app that serves files already may go on with its own plugin. Each file here is named with its folder.
      if (!scope.hasReplyDecorator('sendFile')) await scope.register(statics, { root: PAGE, serve: false });
      const template = await readFile(join(PAGE, 'index.html'), 'utf8');
      const html = template.replace('{{query}}', () => attributeText(exampleQuery));
      scope.get('/graphiql', compressed, (_request, reply) => {
        const nonce = randomBytes(16).toString('hex');
        return reply
          .type('text/html; charset=utf-8')
          .header('cache-control', 'no-store')
          .header(POLICY, policy.replace(NONCE, nonce))
          .send(html.replace('{{nonce}}', nonce));
      });
      const own = (await readdir(PAGE)).filter((file) => /\.(js|css)$/.test(file));
      for (const file of own)
        scope.get(`/graphiql/${file}`, compressed, (_request, reply) => reply.sendFile(file, PAGE));
      for (const asset of ASSETS) {
        const root = join(dirname(packages.resolve(`${asset.package}/package.json`)), asset.folder);
        scope.get(`/graphiql/${asset.file}`, compressed, (_request, reply) => reply.sendFile(asset.file, root));
      }
    });
  },
  { name: 'larder-graphiql', fastify: '5.x' },
);

/** Text as it stands in an attribute between double quotes. */
function attributeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
