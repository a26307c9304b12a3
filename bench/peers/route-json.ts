// A route by hand for exactly these pages, without a cache. One statement makes the JSON text, and the server passes it on as it is.
import { type FastifyReply, fastify } from 'fastify';
import { connectPostgres } from './support/connect.ts';
import { settings } from './support/settings.ts';

const sql = connectPostgres(settings.databaseUrl);

interface PageQuery {
  readonly first: string;
  readonly events: string;
  readonly after?: string;
}

type Text = [{ json: string | null }];

function send(reply: FastifyReply, [row]: Text) {
  return reply.type('application/json; charset=utf-8').send(row.json ?? 'null');
}

const app = fastify();

app.get<{ Querystring: PageQuery }>('/nested', async ({ query: { first, events, after = '0' } }, reply) => {
  const rows = await sql<Text>`
    select coalesce(json_agg(page order by page.id), '[]')::text as json from (
      select c.id, c.title, (
        select coalesce(json_agg(json_build_object('id', e.id, 'title', e.title, 'startsAt', e.starts_at)
          order by l.starts_at, l.event_id), '[]')
        from (
          select event_id, starts_at from campaign_events
          where campaign_id = c.id order by starts_at, event_id limit ${Number(events)}
        ) l join events e on e.id = l.event_id
      ) as events
      from campaigns c where c.id > ${after} order by c.id limit ${Number(first)}
    ) page`;
  return send(reply, rows);
});

app.get<{ Querystring: PageQuery }>('/wide', async ({ query: { first, events, after = '0' } }, reply) => {
  const size = Number(first);
  const perCampaign = Number(events);
  const rows = await sql<Text>`
    with page as (
      select c.*, row_number() over (order by c.id) as place
      from campaigns c where c.id > ${after} order by c.id limit ${size + 1}
    )
    select json_build_object(
      'campaigns', (
        select coalesce(json_agg(json_build_object(
          'id', p.id, 'title', p.title, 'body', p.body,
          'brand', (select json_build_object('id', b.id, 'name', b.name) from brands b where b.id = p.brand_id),
          'events', list.events, 'hasNextPage', list.total > ${perCampaign}, 'endCursor', list.last
        ) order by p.id), '[]')
        from page p cross join lateral (
          select coalesce(
            json_agg(json_build_object('id', e.id, 'title', e.title, 'body', e.body, 'startsAt', e.starts_at)
              order by l.starts_at, l.event_id) filter (where l.place <= ${perCampaign}), '[]') as events,
            count(*) as total, max(l.event_id) filter (where l.place = ${perCampaign}) as last
          from (
            select event_id, starts_at, row_number() over (order by starts_at, event_id) as place
            from campaign_events where campaign_id = p.id order by starts_at, event_id limit ${perCampaign + 1}
          ) l join events e on e.id = l.event_id
        ) list
        where p.place <= ${size}
      ),
      'hasNextPage', (select count(*) > ${size} from page),
      'endCursor', (select max(id) from page where place <= ${size})
    )::text as json`;
  return send(reply, rows);
});

app.get<{ Params: { id: string } }>('/campaign/:id', async ({ params }, reply) => {
  const rows = await sql<Text>`
    select (
      select json_build_object('id', c.id, 'title', c.title, 'body', c.body,
        'brand', json_build_object('id', b.id, 'name', b.name))
      from campaigns c join brands b on b.id = c.brand_id where c.id = ${params.id}
    )::text as json`;
  return send(reply, rows);
});

app.post<{ Params: { id: string }; Body: { title: string } }>('/event/:id', async ({ params, body }) => {
  const [row] = await sql<{ id: string; title: string }[]>`
    update events set title = ${body.title} where id = ${params.id} returning id, title`;
  return row ?? null;
});

await app.listen({ host: settings.host, port: settings.port });
