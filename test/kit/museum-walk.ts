import { createLarder } from 'larder';
import postgres from 'postgres';
import { entities } from './src/entities.ts';

/**
 * Walks every list of the museum from its start to its end and from its end to its start, and compares what it has met with what Postgres says
 * the list is. Run in the museum's folder; what it writes is one line of JSON.
 */
const { DATABASE_URL = '' } = process.env;
const sql = postgres(DATABASE_URL, { max: 1 });
const larder = await createLarder({
  entities,
  postgres: { url: DATABASE_URL, statementTimeoutMs: 60_000, requestTimeoutMs: 3_600_000 },
});

/** Parents whose pages share a statement. */
const TOGETHER = 200;

type Position = { readonly key: unknown; readonly id: string };
interface Request {
  readonly parent?: string;
  readonly order: string;
  readonly direction: 'ASC' | 'DESC';
  readonly limit: number;
  readonly backward: boolean;
  readonly filters?: object;
  readonly after?: Position;
  readonly before?: Position;
  readonly needs: object;
}
interface Page {
  readonly items: readonly { readonly id: string; readonly position: Position | null }[];
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
}
type List = (list: string, requests: readonly Request[]) => Promise<Page[]>;

const needs = { rows: true, entities: false, positions: true, total: false, flags: true };
const wrong: string[] = [];
const met = { lists: 0, pages: 0, rows: 0 };

/** All ids of a list, by its parents, as its pages tell them. */
async function walked(read: List, list: string, asked: Omit<Request, 'needs'>, parents: readonly (string | null)[]) {
  const found = new Map<string | null, string[]>(parents.map((parent) => [parent, []]));
  let open = parents.map((parent) => ({ parent, from: null as Position | null }));
  while (open.length > 0) {
    const next: typeof open = [];
    for (let at = 0; at < open.length; at += TOGETHER) {
      const group = open.slice(at, at + TOGETHER);
      const requests = group.map(({ parent, from }) => ({
        ...asked,
        needs,
        ...(parent === null ? {} : { parent }),
        ...(from === null ? {} : { [asked.backward ? 'before' : 'after']: from }),
      }));
      const pages = await read(list, requests);
      pages.forEach(({ items, hasNext, hasPrevious }, i) => {
        const { parent, from } = group[i] as (typeof group)[number];
        const ids = items.map(({ id }) => id);
        const all = found.get(parent) as string[];
        if (asked.backward) all.unshift(...ids);
        else all.push(...ids);
        const [more, back] = asked.backward ? [hasPrevious, hasNext] : [hasNext, hasPrevious];
        if (back !== (from !== null))
          wrong.push(`${list} ${asked.order} of ${parent}: the page after ${from?.id} denies what it began after`);
        const end = items.at(asked.backward ? 0 : -1)?.position ?? null;
        met.pages += 1;
        met.rows += ids.length;
        if (more && end !== null) next.push({ parent, from: end });
        else if (more) wrong.push(`${list} ${asked.order} of ${parent}: an empty page says that there is more`);
      });
    }
    open = next;
  }
  return found;
}

/** Walks a list both ways in both directions. */
async function check(
  entity: 'Artist' | 'Artwork' | 'Subject',
  list: string,
  order: string,
  expected: string,
  filters?: object,
) {
  const repository = larder.repositories[entity];
  const read = repository.list.bind(repository) as unknown as List;
  const rows = await sql.unsafe<{ parent: string | null; ids: string[] }[]>(expected);
  met.lists += rows.length;
  const lists = new Map(rows.map(({ parent, ids }) => [parent, ids]));
  for (const [direction, backward, limit] of [
    ['ASC', false, 100],
    ['ASC', true, 37],
    ['DESC', false, 50],
  ] as const) {
    const asked = { order, direction, backward, limit, ...(filters === undefined ? {} : { filters }) };
    for (const [parent, ids] of await walked(read, list, asked, [...lists.keys()])) {
      const right =
        direction === 'ASC' ? (lists.get(parent) as string[]) : (lists.get(parent) as string[]).toReversed();
      if (ids.join('\n') === right.join('\n')) continue;
      wrong.push(
        `${entity}.${list} by ${order} ${direction} of ${parent}, ${backward ? 'from its end' : 'from its start'}: ${ids.length} of ${right.length}`,
      );
    }
  }
}

const all = (table: string, id: string, order: string, where = 'true') =>
  `select null as parent, array_agg(${id}::text order by ${order}) as ids from ${table} where ${where}`;
const ofArtist = (order: string, where = 'true') =>
  `select a.id::text as parent, coalesce(array_agg(w.id::text order by ${order}) filter (where w.id is not null), '{}') as ids
   from artists a left join artworks w on w.artist_id = a.id and ${where} group by a.id`;

await check('Artist', 'all', 'ID', all('artists', 'id', 'id'));
await check('Artist', 'byName', 'NAME', all('artists', 'id', 'name, id'));
await check('Subject', 'all', 'ID', all('thesaurus.subjects', 'slug', 'slug'));
await check('Artwork', 'all', 'ID', all('artworks', 'id', 'id'));
const castle = `to_tsvector('english', title) @@ websearch_to_tsquery('english', 'castle -ruin')`;
await check('Artwork', 'all', 'ID', all('artworks', 'id', 'id', castle), { search: 'castle -ruin' });
await check('Artwork', 'byArtist', 'ID', ofArtist('w.id'));
await check('Artwork', 'byArtist', 'MADE_YEAR', ofArtist('w.made_year nulls last, w.id'));
await check('Artwork', 'byArtist', 'TITLE', ofArtist('w.title, w.id'));
await check('Artwork', 'byArtist', 'TALLEST', ofArtist('w.height_mm desc nulls last, w.id desc'));
await check(
  'Artwork',
  'byArtist',
  'MADE_YEAR',
  ofArtist('w.made_year nulls last, w.id', `w.kind = 'print' and w.tags @> '{"landscape"}'`),
  {
    kind: 'print',
    tags: ['landscape'],
  },
);
await check(
  'Artwork',
  'bySubject',
  'POSITION',
  `select s.slug as parent, coalesce(array_agg(l.artwork_id::text order by l.position, l.artwork_id) filter (where l.artwork_id is not null), '{}') as ids
   from thesaurus.subjects s left join subject_artworks l on l.subject_slug = s.slug group by s.slug`,
);
await check(
  'Subject',
  'ofArtwork',
  'ID',
  `select w.id::text as parent, coalesce(array_agg(l.subject_slug order by l.subject_slug) filter (where l.subject_slug is not null), '{}') as ids
   from artworks w left join subject_artworks l on l.artwork_id = w.id group by w.id`,
);

process.stdout.write(`${JSON.stringify({ ...met, wrong: wrong.slice(0, 20) })}\n`);
await larder.close();
await sql.end();
