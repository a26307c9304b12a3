// The least that a server on Fastify can do for an entity by id. It parses the request that Larder gets, and sends the bytes that Larder
// answers. It knows all of these beforehand. Nobody would write such a route; it is the bound of what Larder can reach.
import { fastify } from 'fastify';
import { connectPostgres } from './support/connect.ts';
import { encodeId } from './support/global-id.ts';
import { settings } from './support/settings.ts';

/** Only the entities that are asked for. More would only fill the memory. */
const KNOWN = 10_000;

const sql = connectPostgres(settings.databaseUrl);
const rows = await sql<{ id: string; title: string; body: string; brand_id: string; name: string }[]>`
  select c.id, c.title, c.body, c.brand_id, b.name from campaigns c join brands b on b.id = c.brand_id order by c.id limit ${KNOWN}`;
await sql.end();

const answers = new Map(
  rows.map(({ id, title, body, brand_id, name }) => {
    const campaign = { id: encodeId('Campaign', id), title, body, brand: { id: encodeId('Brand', brand_id), name } };
    return [campaign.id, Buffer.from(JSON.stringify({ data: { campaign } }))];
  }),
);
const unknown = Buffer.from('{"data":{"campaign":null}}');

const app = fastify();

app.post<{ Body: { variables: { id: string } } }>('/graphql', (request, reply) => {
  reply.type('application/json; charset=utf-8').send(answers.get(request.body.variables.id) ?? unknown);
});

await app.listen({ host: settings.host, port: settings.port });
