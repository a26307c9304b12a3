// A route by hand for exactly these pages, for long bodies. It sends a statement for the campaigns' ids, and one for all of their events' ids.
// One MGET brings the JSON of each as a page shows it. The route puts these bytes together as they are.
import { type FastifyReply, fastify } from 'fastify';
import { Redis } from 'ioredis';
import { connectPostgres } from './support/connect.ts';
import { settings } from './support/settings.ts';

const sql = connectPostgres(settings.databaseUrl);
const redis = new Redis(settings.redisUrl);

interface PageQuery {
  readonly first: string;
  readonly events: string;
  readonly after?: string;
}

type Texts = Promise<{ id: string; json: string }[]>;

/** Redis has JSON of each entity as a page shows it. */
const SHAPES = {
  campaign: (ids: readonly string[]): Texts =>
    sql`select id, json_build_object('id', id, 'title', title)::text as json from campaigns where id = any(${ids})`,
  wideCampaign: (ids: readonly string[]): Texts =>
    sql`select id, json_build_object('id', id, 'title', title, 'body', body)::text as json from campaigns where id = any(${ids})`,
  // A brand that is renamed would have to drop its campaigns: nobody renames one here.
  wholeCampaign: (ids: readonly string[]): Texts => sql`
    select c.id, json_build_object('id', c.id, 'title', c.title, 'body', c.body,
      'brand', json_build_object('id', b.id, 'name', b.name))::text as json
    from campaigns c join brands b on b.id = c.brand_id where c.id = any(${ids})`,
  event: (ids: readonly string[]): Texts =>
    sql`select id, json_build_object('id', id, 'title', title, 'startsAt', starts_at)::text as json from events where id = any(${ids})`,
  wideEvent: (ids: readonly string[]): Texts =>
    sql`select id, json_build_object('id', id, 'title', title, 'body', body, 'startsAt', starts_at)::text as json from events where id = any(${ids})`,
  brand: (ids: readonly string[]): Texts =>
    sql`select id, json_build_object('id', id, 'name', name)::text as json from brands where id = any(${ids})`,
};

type Shape = keyof typeof SHAPES;

/** One MGET for the JSON of all, and for each shape one SELECT for what Redis does not hold. */
async function jsonOf(wanted: Partial<Record<Shape, readonly string[]>>): Promise<Map<string, Buffer>> {
  const asked = Object.entries(wanted) as [Shape, readonly string[]][];
  const keys = asked.flatMap(([shape, ids]) => ids.map((id) => `${shape}-${id}`));
  const held = keys.length === 0 ? [] : await redis.mgetBuffer(keys);
  const found = new Map<string, Buffer>();
  keys.forEach((key, i) => {
    const bytes = held[i];
    if (bytes) found.set(key, bytes);
  });
  if (found.size === keys.length) return found;
  const pipeline = redis.pipeline();
  await Promise.all(
    asked.map(async ([shape, ids]) => {
      const missing = ids.filter((id) => !found.has(`${shape}-${id}`));
      if (missing.length === 0) return;
      for (const { id, json } of await SHAPES[shape](missing)) {
        found.set(`${shape}-${id}`, Buffer.from(json));
        pipeline.set(`${shape}-${id}`, json, 'EX', settings.ttlSeconds);
      }
    }),
  );
  await pipeline.exec();
  return found;
}

/** Which entities a page has. */
async function readPage({ first, events, after = '0' }: PageQuery) {
  const size = Number(first);
  const perCampaign = Number(events);
  const listed = await sql<{ id: string; brand_id: string }[]>`
    select id, brand_id from campaigns where id > ${after} order by id limit ${size + 1}`;
  const campaigns = listed.slice(0, size);
  const ids = campaigns.map((row) => row.id);
  const links = await sql<{ campaign_id: string; event_id: string }[]>`
    select p.id as campaign_id, l.event_id from unnest(${ids}::bigint[]) p(id)
    cross join lateral (
      select event_id, starts_at from campaign_events
      where campaign_id = p.id order by starts_at, event_id limit ${perCampaign + 1}
    ) l order by p.id, l.starts_at, l.event_id`;
  const listOf = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const link of links) listOf.get(link.campaign_id)?.push(link.event_id);
  const eventsOf = (id: string) => listOf.get(id)?.slice(0, perCampaign) ?? [];
  return {
    campaigns,
    eventsOf,
    hasMore: (id: string) => (listOf.get(id)?.length ?? 0) > perCampaign,
    events: [...new Set(ids.flatMap(eventsOf))],
    hasNextPage: listed.length > size,
  };
}

const NOTHING = Buffer.alloc(0);
const COMMA = Buffer.from(',');

/** Bytes with commas in between. */
function list(parts: readonly Buffer[]): Buffer[] {
  return parts.flatMap((part, i) => (i === 0 ? [part] : [COMMA, part]));
}

/** An object's JSON without its last brace, so that more can follow. */
const open = (json: Buffer | undefined) => json?.subarray(0, -1) ?? NOTHING;

function send(reply: FastifyReply, parts: readonly Buffer[]) {
  return reply.type('application/json; charset=utf-8').send(Buffer.concat(parts));
}

const app = fastify();

app.get<{ Querystring: PageQuery }>('/nested', async ({ query }, reply) => {
  const { campaigns, eventsOf, events } = await readPage(query);
  const json = await jsonOf({ campaign: campaigns.map(({ id }) => id), event: events });
  const nodes = campaigns.map(({ id }) =>
    Buffer.concat([
      open(json.get(`campaign-${id}`)),
      Buffer.from(',"events":['),
      ...list(eventsOf(id).map((event) => json.get(`event-${event}`) ?? NOTHING)),
      Buffer.from(']}'),
    ]),
  );
  return send(reply, [Buffer.from('['), ...list(nodes), Buffer.from(']')]);
});

app.get<{ Querystring: PageQuery }>('/wide', async ({ query }, reply) => {
  const { campaigns, eventsOf, hasMore, events, hasNextPage } = await readPage(query);
  const json = await jsonOf({
    wideCampaign: campaigns.map(({ id }) => id),
    wideEvent: events,
    brand: [...new Set(campaigns.map((row) => row.brand_id))],
  });
  const parts: Buffer[] = [Buffer.from('{"campaigns":[')];
  campaigns.forEach(({ id, brand_id }, i) => {
    const shown = eventsOf(id);
    if (i > 0) parts.push(COMMA);
    parts.push(
      open(json.get(`wideCampaign-${id}`)),
      Buffer.from(',"brand":'),
      json.get(`brand-${brand_id}`) ?? NOTHING,
    );
    parts.push(Buffer.from(',"events":['), ...list(shown.map((event) => json.get(`wideEvent-${event}`) ?? NOTHING)));
    parts.push(Buffer.from(`],"hasNextPage":${hasMore(id)},"endCursor":${JSON.stringify(shown.at(-1) ?? null)}}`));
  });
  const endCursor = JSON.stringify(campaigns.at(-1)?.id ?? null);
  return send(reply, [...parts, Buffer.from(`],"hasNextPage":${hasNextPage},"endCursor":${endCursor}}`)]);
});

app.get<{ Params: { id: string } }>('/campaign/:id', async ({ params: { id } }, reply) => {
  const json = await jsonOf({ wholeCampaign: [id] });
  return send(reply, [json.get(`wholeCampaign-${id}`) ?? Buffer.from('null')]);
});

app.post<{ Params: { id: string }; Body: { title: string } }>('/event/:id', async ({ params: { id }, body }) => {
  const [row] = await sql<{ id: string; title: string }[]>`
    update events set title = ${body.title} where id = ${id} returning id, title`;
  await redis.del(`event-${id}`, `wideEvent-${id}`);
  return row ?? null;
});

await app.listen({ host: settings.host, port: settings.port });
