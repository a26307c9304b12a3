import fc from 'fast-check';
import { type Test, t } from 'tap';
import { globalId } from '../support/data.ts';
import { startServer } from '../support/server.ts';
import {
  cutPage,
  type EventRow,
  insert,
  type Layout,
  layOut,
  lists,
  type PagePlan,
  type Place,
  replaceRows,
  rfc3339,
  rows,
} from './model.ts';

interface Node {
  id: string;
  title: string;
  startsAt?: string;
}

interface Connection {
  edges?: { cursor: string; node: Node }[];
  nodes?: { id: string }[];
  pageInfo?: {
    hasNextPage?: boolean;
    hasPreviousPage?: boolean;
    startCursor?: string | null;
    endCursor?: string | null;
  };
  totalCount?: number;
}

const server = await startServer(t);

/** Runs a property; a failure shows the seed, the path and the smallest example. */
async function holds<T>(t: Test, property: fc.IAsyncProperty<T>, numRuns: number): Promise<void> {
  try {
    await fc.assert(property, { numRuns, includeErrorInReport: true });
    t.pass(`${numRuns} runs`);
  } catch (error) {
    t.fail('the property holds', { report: (error as Error).message });
  }
}

function expectSame(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [actual, expected].map((value) => JSON.stringify(value));
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`);
}

const WHOLE_PAGE = {
  edges: (layout: Layout) => `edges { cursor node { id title ${layout.type === 'Event' ? 'startsAt' : 'body'} } }`,
  nodes: () => 'nodes { id }',
  flags: () => 'pageInfo { hasNextPage hasPreviousPage }',
  cursors: () => 'pageInfo { startCursor endCursor }',
  total: () => 'totalCount',
};
type Part = keyof typeof WHOLE_PAGE;
const EVERYTHING = Object.keys(WHOLE_PAGE) as Part[];

const select = (layout: Layout, parts: readonly Part[]) => parts.map((part) => WHOLE_PAGE[part](layout)).join(' ');

function pageArguments({ size, backward, after, before }: PagePlan, cursors: ReadonlyMap<bigint, string>) {
  const cursor = (place: Place) => JSON.stringify(cursors.get(place.id));
  return {
    ...(size === null ? {} : { [backward ? 'last' : 'first']: size }),
    ...(after === null ? {} : { after: cursor(after) }),
    ...(before === null ? {} : { before: cursor(before) }),
  };
}

/** Compares all that was selected of a page with the model. */
function check(layout: Layout, plan: PagePlan, page: Connection, cursors: ReadonlyMap<bigint, string>): void {
  const expected = cutPage(layout, plan);
  const ids = expected.rows.map((row) => globalId(layout.type, row.id));
  if (page.edges !== undefined) {
    const nodes = expected.rows.map((row) => ({
      id: globalId(layout.type, row.id),
      title: `${layout.type} ${row.id}`,
      ...(layout.type === 'Event' ? { startsAt: rfc3339(row.at) } : { body: '' }),
    }));
    const places = expected.rows.map((row) => cursors.get(row.id));
    expectSame(
      page.edges.map((edge) => edge.node),
      nodes,
      'nodes of edges',
    );
    expectSame(
      page.edges.map((edge) => edge.cursor),
      places,
      'cursors of edges',
    );
  }
  if (page.nodes !== undefined) {
    expectSame(
      page.nodes.map((node) => node.id),
      ids,
      'nodes',
    );
  }
  const { hasNextPage, hasPreviousPage, startCursor, endCursor } = page.pageInfo ?? {};
  if (hasNextPage !== undefined) expectSame(hasNextPage, expected.hasNextPage, 'hasNextPage');
  if (hasPreviousPage !== undefined) expectSame(hasPreviousPage, expected.hasPreviousPage, 'hasPreviousPage');
  const [first, last] = [expected.rows[0], expected.rows.at(-1)];
  if (startCursor !== undefined) expectSame(startCursor, first ? cursors.get(first.id) : null, 'startCursor');
  if (endCursor !== undefined) expectSame(endCursor, last ? cursors.get(last.id) : null, 'endCursor');
  if (page.totalCount !== undefined) expectSame(page.totalCount, expected.totalCount, 'totalCount');
}

/** The cursors of all rows of some lists, filters left aside, by id. */
async function cursorsOf(layouts: readonly Layout[]): Promise<Map<bigint, string>[]> {
  const fields = layouts.map(
    (layout, i) => `list${i}: ${layout.field({ first: 100, unfiltered: 1 }, 'edges { cursor } nodes { id }')}`,
  );
  const data = await server.ask<Record<string, unknown>>(`{ ${fields.join(' ')} }`);
  return layouts.map((layout, i) => {
    const page = layout.open<Required<Connection>>(data[`list${i}`]);
    return new Map(layout.all.map((row, j) => [row.id, page.edges[j]?.cursor ?? 'none']));
  });
}

t.test('pages of any lists, cut anywhere, side by side in one request', async (t) => {
  const page = fc.record({
    list: lists,
    size: fc.option(fc.nat(7), { freq: 8 }),
    backward: fc.boolean(),
    after: fc.option(fc.nat(), { freq: 2 }),
    before: fc.option(fc.nat(), { freq: 2 }),
    parts: fc.subarray(EVERYTHING, { minLength: 1 }),
  });
  const pages = fc.array(page, { minLength: 1, maxLength: 4 });
  const property = fc.asyncProperty(rows, pages, async (data, plans) => {
    await replaceRows(server.sql, data);
    const layouts = plans.map((plan) => layOut(data, plan.list));
    const cursors = await cursorsOf(layouts);
    const cuts = plans.map((plan, i): PagePlan => {
      const all = layouts[i]?.all ?? [];
      const place = (pick: number | null) =>
        pick === null || all.length === 0 ? null : (all[pick % all.length] ?? null);
      // Without a size there is no `last`.
      return {
        ...plan,
        backward: plan.backward && plan.size !== null,
        after: place(plan.after),
        before: place(plan.before),
      };
    });
    const fields = layouts.map((layout, i) => {
      const args = pageArguments(cuts[i] as PagePlan, cursors[i] as Map<bigint, string>);
      return `page${i}: ${layout.field(args, select(layout, plans[i]?.parts ?? []))}`;
    });
    const answer = await server.ask<Record<string, unknown>>(`{ ${fields.join(' ')} }`);
    layouts.forEach((layout, i) => {
      const page = layout.open<Connection>(answer[`page${i}`]);
      check(layout, cuts[i] as PagePlan, page, cursors[i] as Map<bigint, string>);
    });
  });
  await holds(t, property, 150);
});

t.test('the same page of every campaign', async (t) => {
  const property = fc.asyncProperty(
    rows,
    lists,
    fc.nat(5),
    fc.boolean(),
    fc.nat(),
    async (data, list, size, backward, pick) => {
      await replaceRows(server.sql, data);
      const all = layOut(data, { ...list, kind: 'events(campaign:)' });
      const layouts = data.campaigns
        .map((campaign, parent) => ({
          id: campaign.id,
          layout: layOut(data, { ...list, kind: 'campaign.events', parent }),
        }))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const cursors = await cursorsOf(layouts.map(({ layout }) => layout));
      // A cursor is a place in the order, so one campaign's may be used in another.
      const known = new Map(cursors.flatMap((map) => [...map]));
      const places = layouts.flatMap(({ layout }) => layout.all);
      const place = places.length === 0 ? null : (places[pick % places.length] ?? null);
      const plan: PagePlan = { size, backward, after: backward ? null : place, before: backward ? place : null };
      const args = pageArguments(plan, known);
      const events = all
        .field(args, select(all, EVERYTHING))
        .replace(/campaign: "[^"]*",? ?/, '')
        .replace('events()', 'events');
      const { campaigns } = await server.ask<{ campaigns: { nodes: { events: Connection }[] } }>(
        `{ campaigns(first: 100) { nodes { ${events} } } }`,
      );
      expectSame(campaigns.nodes.length, layouts.length, 'campaigns');
      layouts.forEach(({ layout }, i) => {
        check(layout, plan, campaigns.nodes[i]?.events ?? {}, known);
      });
    },
  );
  await holds(t, property, 60);
});

t.test('a walk meets every row once, in order, with the right flags', async (t) => {
  const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
  const property = fc.asyncProperty(rows, lists, sizes, fc.boolean(), async (data, list, sizes, backward) => {
    await replaceRows(server.sql, data);
    const layout = layOut(data, list);
    const [cursors] = (await cursorsOf([layout])) as [Map<bigint, string>];
    const met: string[] = [];
    let from: Place | null = null;
    for (let i = 0; i <= layout.listed.length; i += 1) {
      const plan: PagePlan = {
        size: sizes[i % sizes.length] ?? 1,
        backward,
        after: backward ? null : from,
        before: backward ? from : null,
      };
      const answer = await server.ask<Record<string, unknown>>(
        `{ page: ${layout.field(pageArguments(plan, cursors), select(layout, EVERYTHING))} }`,
      );
      const page = layout.open<Connection>(answer.page);
      check(layout, plan, page, cursors);
      const ids = (page.nodes ?? []).map((node) => node.id);
      if (backward) met.unshift(...ids);
      else met.push(...ids);
      const { hasNextPage, hasPreviousPage, startCursor, endCursor } = page.pageInfo ?? {};
      if (!(backward ? hasPreviousPage : hasNextPage)) break;
      const [id] = [...cursors].find(([, cursor]) => cursor === (backward ? startCursor : endCursor)) ?? [];
      from = layout.all.find((row) => row.id === id) ?? null;
    }
    expectSame(
      met,
      layout.listed.map((row) => globalId(layout.type, row.id)),
      'the walk',
    );
  });
  await holds(t, property, 60);
});

t.test('a walk among inserts and deletes neither skips nor repeats', async (t) => {
  const changes = fc.array(fc.record({ doomed: fc.nat(), born: fc.nat(), size: fc.integer({ min: 1, max: 4 }) }), {
    minLength: 1,
    maxLength: 8,
  });
  const property = fc.asyncProperty(
    rows,
    rows,
    lists,
    changes,
    fc.boolean(),
    async (data, later, list, steps, backward) => {
      await replaceRows(server.sql, data);
      const kinds = ['campaign.events', 'events', 'events(campaign:)'] as const;
      const layout = layOut(data, { ...list, kind: kinds[list.parent % 3] ?? 'events' });
      const campaign = data.campaigns[list.parent % data.campaigns.length]?.id ?? 0n;
      const known = new Set(data.events.map((event) => event.id));
      const unborn: EventRow[] = later.events.filter((event) => !known.has(event.id));
      // Half of the rows may be deleted; the others are untouched, and must be met.
      const mortal = layout.listed.filter((_row, i) => i % 2 === 1);
      const untouched = layout.listed.filter((_row, i) => i % 2 === 0).map((row) => globalId(layout.type, row.id));
      const met: string[] = [];
      let cursor: string | null = null;
      for (let i = 0; i <= layout.listed.length + later.events.length; i += 1) {
        const step = steps[i % steps.length] ?? { doomed: 0, born: 0, size: 1 };
        const args: Record<string, string | number> = {
          [backward ? 'last' : 'first']: step.size,
          ...(cursor === null ? {} : { [backward ? 'before' : 'after']: JSON.stringify(cursor) }),
        };
        const answer = await server.ask<Record<string, unknown>>(
          `{ page: ${layout.field(args, select(layout, EVERYTHING))} }`,
        );
        const page = layout.open<Required<Connection>>(answer.page);
        const ids = page.nodes.map((node) => node.id);
        if (backward) met.unshift(...ids);
        else met.push(...ids);
        if (!(backward ? page.pageInfo.hasPreviousPage : page.pageInfo.hasNextPage)) break;
        cursor = (backward ? page.pageInfo.startCursor : page.pageInfo.endCursor) ?? null;
        // The row that the cursor stands on may go, too.
        const [gone] = mortal.splice(step.doomed % Math.max(1, mortal.length), 1);
        if (gone !== undefined) await server.sql.unsafe(`delete from events where id = ${gone.id}`);
        const [born] = unborn.splice(step.born % Math.max(1, unborn.length), 1);
        if (born !== undefined) {
          await insert(server.sql, 'events', [`(${born.id}, 'Event ${born.id}', '', '${rfc3339(born.at)}')`]);
          await insert(server.sql, 'campaign_events', [`(${campaign}, '${rfc3339(born.at)}', ${born.id})`]);
        }
      }
      expectSame(
        met.filter((id) => untouched.includes(id)),
        untouched,
        'the untouched rows',
      );
      expectSame(new Set(met).size, met.length, 'different rows');
    },
  );
  await holds(t, property, 60);
});
