import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import postgres from 'postgres';
import { databaseId } from '../../pothos/index.ts';

const PAGE = fileURLToPath(new URL('page', import.meta.url));

const POLICY = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", 'img-src data:'],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ');

/** What the demo's page is made of. */
export interface PageOptions {
  /** The script that `buildPage` made. */
  readonly script: string;
  /** The token that the page's mutations use; `null` for none. */
  readonly token: string | null;
  /** The database with the row that the page's button changes, past the server. */
  readonly databaseUrl: string;
}

/**
 * Serves the demo's page at `/`, and changes a row by SQL when its button asks for it. It is for a demo alone: whoever reaches it may write.
 *
 * @param app the server
 * @param options the script, the token and the database
 */
export function servePage(app: FastifyInstance, { script, token, databaseUrl }: PageOptions): void {
  const html = readFileSync(`${PAGE}/index.html`, 'utf8').replace('{{token}}', token ?? '');
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  app.addHook('onClose', () => sql.end());
  const files = [
    ['/', 'text/html', html],
    ['/demo/page.js', 'text/javascript', script],
    ['/demo/page.css', 'text/css', readFileSync(`${PAGE}/page.css`, 'utf8')],
  ] as const;
  for (const [path, type, text] of files) {
    app.get(path, (_request, reply) =>
      reply
        .type(`${type}; charset=utf-8`)
        .headers({ 'cache-control': 'no-store', 'content-security-policy': POLICY })
        .send(text),
    );
  }
  const schema = { type: 'object', required: ['id'], properties: { id: { type: 'string', maxLength: 100 } } } as const;
  app.post<{ Body: { id: string } }>('/demo/change', { schema: { body: schema } }, async ({ body }, reply) => {
    const id = databaseId('Campaign', body.id);
    if (id === null) return reply.code(404).send({ message: 'Expected the id of a campaign.' });
    const title = `Changed at ${new Date().toISOString().slice(11, 23)}`;
    await sql`update campaigns set title = ${title} where id = ${id}`;
    return { title, sql: `update campaigns set title = '${title}' where id = ${id}` };
  });
}
