import fc, { type Arbitrary } from 'fast-check';
import type { Sql } from 'postgres';
import { globalId } from '../support/data.ts';

/** An event as the model knows it: its id, and its start in microseconds since 1970. */
export interface EventRow {
  readonly id: bigint;
  readonly at: bigint;
}

/** The rows of a database, small and full of traps. */
export interface Rows {
  readonly campaigns: readonly { readonly id: bigint; readonly brand: bigint }[];
  readonly events: readonly EventRow[];
  readonly links: readonly { readonly campaign: bigint; readonly event: bigint }[];
}

/** A list, as a query names it. */
export interface ListPlan {
  readonly kind:
    | 'campaign.events'
    | 'events'
    | 'events(campaign:)'
    | 'campaigns'
    | 'event.campaigns'
    | 'brand.campaigns';
  /** Picks the parent among those that exist. */
  readonly parent: number;
  /** `null` for the list's default. Lists of campaigns have no other. */
  readonly order: { readonly field: 'STARTS_AT' | 'ID'; readonly direction: 'ASC' | 'DESC' } | null;
  readonly from: bigint | null;
  readonly to: bigint | null;
}

/** A place in a list: lists of campaigns leave the time alone. */
export type Place = EventRow;

/** A page, as a query names it and as the model answers it. */
export interface PagePlan {
  /** `null` for the default. */
  readonly size: number | null;
  readonly backward: boolean;
  readonly after: Place | null;
  readonly before: Place | null;
}

/** What a page must hold. */
export interface ModelPage {
  readonly rows: readonly Place[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly totalCount: number;
}

/** Some moment of 2026, and what can go wrong around it: ties, microseconds, the ends of what the schema allows. */
const NOON = 1_767_268_800_000_000n;
const YEAR_1 = -62_135_596_800_000_000n;
const YEAR_10000 = 253_402_300_800_000_000n;

/** Ids of different lengths, beyond what a double holds, up to the last. */
const ids: Arbitrary<bigint> = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt(1n, 20n) },
  { weight: 2, arbitrary: fc.bigInt(98n, 103n) },
  { weight: 1, arbitrary: fc.bigInt(9_007_199_254_740_990n, 9_007_199_254_740_996n) },
  { weight: 1, arbitrary: fc.bigInt(9_223_372_036_854_775_804n, 9_223_372_036_854_775_807n) },
);

const times: Arbitrary<bigint> = fc.oneof(
  { weight: 5, arbitrary: fc.bigInt(NOON - 1n, NOON + 3n) },
  { weight: 1, arbitrary: fc.constantFrom(NOON + 100_000n, NOON + 1_000_000n, NOON - 86_400_000_000n) },
  { weight: 1, arbitrary: fc.constantFrom(YEAR_1, YEAR_1 + 1n, -1n, 0n, 1n, YEAR_10000 - 1n, YEAR_10000 - 1_000_000n) },
);

const MAX_EVENTS = 14;

/** Data sets. */
export const rows: Arbitrary<Rows> = fc
  .record({
    campaigns: fc.uniqueArray(
      fc.record({ id: ids, brand: fc.constantFrom(1n, 2n), members: fc.nat(2 ** MAX_EVENTS) }),
      {
        minLength: 1,
        maxLength: 7,
        selector: (campaign) => campaign.id,
      },
    ),
    events: fc.uniqueArray(fc.record({ id: ids, at: times }), { maxLength: MAX_EVENTS, selector: (event) => event.id }),
  })
  .map(({ campaigns, events }) => ({
    campaigns: campaigns.map(({ id, brand }) => ({ id, brand })),
    events,
    links: campaigns.flatMap(({ id, members }) =>
      events.filter((_event, i) => (members >> i) % 2 === 1).map((event) => ({ campaign: id, event: event.id })),
    ),
  }));

/** Lists. Where there is no event, the list of an event's campaigns is one of all instead. */
export const lists: Arbitrary<ListPlan> = fc.record({
  kind: fc.constantFrom(
    'campaign.events',
    'campaign.events',
    'events',
    'events(campaign:)',
    'campaigns',
    'event.campaigns',
    'brand.campaigns',
  ),
  parent: fc.nat(100),
  order: fc.option(
    fc.record({ field: fc.constantFrom('STARTS_AT', 'ID'), direction: fc.constantFrom('ASC', 'DESC') } as const),
  ),
  from: fc.option(times, { freq: 3 }),
  to: fc.option(times, { freq: 3 }),
});

/**
 * Puts rows in the place of all that are there.
 *
 * @param sql where
 * @param data the rows
 */
export async function replaceRows(sql: Sql, { campaigns, events, links }: Rows): Promise<void> {
  const at = new Map(events.map((event) => [event.id, event.at]));
  await sql.begin(async (sql) => {
    await sql`truncate campaign_events, events, campaigns, brands`;
    await sql`insert into brands (id, name) values (1, 'Brand 1'), (2, 'Brand 2')`;
    await insert(
      sql,
      'campaigns',
      campaigns.map(({ id, brand }) => `(${id}, ${brand}, 'Campaign ${id}', '')`),
    );
    await insert(
      sql,
      'events',
      events.map((event) => `(${event.id}, 'Event ${event.id}', '', '${rfc3339(event.at)}')`),
    );
    await insert(
      sql,
      'campaign_events',
      links.map(({ campaign, event }) => `(${campaign}, '${rfc3339(at.get(event) ?? 0n)}', ${event})`),
    );
  });
}

/**
 * Inserts rows whose values are numbers and times of the model.
 *
 * @param sql where
 * @param table the table, its columns in their order
 * @param values the rows
 */
export async function insert(sql: Pick<Sql, 'unsafe'>, table: string, values: readonly string[]): Promise<void> {
  if (values.length > 0) await sql.unsafe(`insert into ${table} values ${values.join(', ')}`);
}

/**
 * A time as the API answers it.
 *
 * @param at microseconds since 1970
 * @returns the time in UTC, the zeros at its end left out
 */
export function rfc3339(at: bigint): string {
  const micros = ((at % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((at - micros) / 1000n)).toISOString().slice(0, 19);
  const fraction = String(micros).padStart(6, '0').replace(/0+$/, '');
  return fraction === '' ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

/**
 * The same time with another offset, as a client may write it.
 *
 * @param at microseconds since 1970
 * @returns the time in a zone of two hours and a half east of UTC, where that has four digits for the year
 */
function withOffset(at: bigint): string {
  const east = 9_000_000_000n;
  return at + east < YEAR_10000 ? rfc3339(at + east).replace('Z', '+02:30') : rfc3339(at);
}

/** A list that is laid out: its rows in order, how to compare two, and how a query gets to it. */
export interface Layout {
  /** `Event` or `Campaign`. */
  readonly type: string;
  /** All rows, filters left aside. */
  readonly all: readonly Place[];
  /** The rows of the list. */
  readonly listed: readonly Place[];
  compare(a: Place, b: Place): number;
  /** The list's field with the arguments of a page, or `unfiltered`, and a selection. */
  field(args: Record<string, string | number | null>, selection: string): string;
  /** Finds the list in what `field` answers. */
  open<Connection>(answer: unknown): Connection;
}

/**
 * Works out by itself what a list holds and in which order.
 *
 * @param data the rows of the database
 * @param plan the list
 * @returns the list laid out
 */
export function layOut(data: Rows, plan: ListPlan): Layout {
  const kind = plan.kind === 'event.campaigns' && data.events.length === 0 ? 'campaigns' : plan.kind;
  const pick = <T>(items: readonly T[]) => items[plan.parent % items.length] as T;
  const campaign = pick(data.campaigns).id;
  const nested = (parent: string) => ({
    field: (page: string) => `${parent} { ${page} }`,
    open: (answer: unknown) => Object.values(answer as object)[0],
  });
  const flat = { field: (page: string) => page, open: (answer: unknown) => answer };
  if (kind === 'campaigns' || kind === 'event.campaigns' || kind === 'brand.campaigns') {
    const event = data.events.length === 0 ? 0n : pick(data.events).id;
    const ofEvent = new Set(data.links.filter((link) => link.event === event).map((link) => link.campaign));
    const brand = plan.parent % 2 === 0 ? 1n : 2n;
    const all = data.campaigns
      .filter((row) =>
        kind === 'campaigns' ? true : kind === 'event.campaigns' ? ofEvent.has(row.id) : row.brand === brand,
      )
      .map((row) => ({ id: row.id, at: 0n }));
    const compare = (a: Place, b: Place) => sign(a.id - b.id);
    const { field, open } =
      kind === 'campaigns'
        ? flat
        : kind === 'event.campaigns'
          ? nested(`event(id: "${globalId('Event', event)}")`)
          : nested(`brand(id: "${globalId('Brand', brand)}")`);
    return {
      type: 'Campaign',
      all: all.toSorted(compare),
      listed: all.toSorted(compare),
      compare,
      field: ({ unfiltered, ...page }, selection) => field(`campaigns${argumentList(page)} { ${selection} }`),
      open: <Connection>(answer: unknown) => open(answer) as Connection,
    };
  }
  const ofCampaign = new Set(data.links.filter((link) => link.campaign === campaign).map((link) => link.event));
  const { field: orderedBy, direction } = plan.order ?? {
    field: kind === 'events' ? 'ID' : 'STARTS_AT',
    direction: 'ASC',
  };
  const compare = (a: Place, b: Place) =>
    (direction === 'ASC' ? 1 : -1) * ((orderedBy === 'STARTS_AT' && sign(a.at - b.at)) || sign(a.id - b.id));
  const all = data.events.filter((event) => kind === 'events' || ofCampaign.has(event.id)).toSorted(compare);
  const { field, open } =
    kind === 'campaign.events' ? nested(`campaign(id: "${globalId('Campaign', campaign)}")`) : flat;
  const own = {
    ...(kind === 'events(campaign:)' ? { campaign: JSON.stringify(globalId('Campaign', campaign)) } : {}),
    ...(plan.order === null ? {} : { orderBy: `{ field: ${plan.order.field}, direction: ${plan.order.direction} }` }),
  };
  const filters = {
    ...(plan.from === null ? {} : { startsAfter: JSON.stringify(withOffset(plan.from)) }),
    ...(plan.to === null ? {} : { startsBefore: JSON.stringify(rfc3339(plan.to)) }),
  };
  return {
    type: 'Event',
    all,
    listed: all.filter(({ at }) => (plan.from === null || at > plan.from) && (plan.to === null || at < plan.to)),
    compare,
    field: ({ unfiltered, ...page }, selection) => {
      return field(`events${argumentList({ ...own, ...(unfiltered ? {} : filters), ...page })} { ${selection} }`);
    },
    open: <Connection>(answer: unknown) => open(answer) as Connection,
  };
}

/**
 * Cuts a page by the letter of the Relay Cursor Connections specification, section 4, its flags exact in both directions.
 *
 * @param layout the list
 * @param plan the page
 * @returns what the page must hold
 */
export function cutPage({ listed, compare }: Layout, { size, backward, after, before }: PagePlan): ModelPage {
  const limit = size ?? 20;
  const inside = listed.filter(
    (row) => (after === null || compare(row, after) > 0) && (before === null || compare(row, before) < 0),
  );
  const more = inside.length > limit;
  return {
    rows: backward ? inside.slice(Math.max(0, inside.length - limit)) : inside.slice(0, limit),
    hasNextPage: (!backward && more) || (before !== null && listed.some((row) => compare(row, before) >= 0)),
    hasPreviousPage: (backward && more) || (after !== null && listed.some((row) => compare(row, after) <= 0)),
    totalCount: listed.length,
  };
}

function argumentList(args: Record<string, string | number | null>): string {
  const list = Object.entries(args).map(([name, value]) => `${name}: ${value}`);
  return list.length === 0 ? '' : `(${list.join(', ')})`;
}

function sign(difference: bigint): number {
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}
