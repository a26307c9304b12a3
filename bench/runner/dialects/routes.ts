import type { Dialect } from '../queries.ts';
import { SIZES } from '../queries.ts';
import { moment, type NormalBrand, type NormalCampaign, type NormalEvent } from './normal.ts';

/** One route's ids are numbers, the other's are text. */
interface Route {
  readonly id: string | number;
  readonly title: string;
  readonly name: string;
  readonly body?: string;
  readonly brand?: Route;
  readonly startsAt?: string;
  readonly events?: readonly Route[];
  readonly hasNextPage?: boolean;
  readonly endCursor?: string | number | null;
}

/**
 * The dialect of the hand-written routes: plain paths, plain JSON, cursors that are ids.
 *
 * @returns the dialect
 */
export function routesDialect(): Dialect {
  const { nested, wide } = SIZES;
  const nestedPath = `/nested?first=${nested.campaigns}&events=${nested.events}`;
  const widePath = `/wide?first=${wide.campaigns}&events=${wide.events}`;
  return {
    queries: ['nested', 'wide', 'heavy', 'random', 'byId', 'mutation'],
    request: (query, { after, campaign, event, title }) => {
      if (query === 'mutation') {
        const headers = { 'content-type': 'application/json' };
        return { method: 'POST', path: `/event/${event}`, headers, body: JSON.stringify({ title }) };
      }
      const paths = {
        nested: nestedPath,
        random: `${nestedPath}&after=${after}`,
        wide: widePath,
        heavy: `${widePath}&after=${after}`,
        byId: `/campaign/${campaign}`,
        threeLevels: '',
      };
      return { method: 'GET', path: paths[query] };
    },
    normalise: (query, body) => {
      if (query === 'byId') return campaignOf(body as Route);
      if (query === 'mutation') return eventOf(body as Route);
      if (query !== 'wide' && query !== 'heavy') return { campaigns: (body as Route[]).map(campaignOf) };
      const { campaigns, ...page } = body as Route & { campaigns: Route[] };
      return { campaigns: campaigns.map(campaignOf), ...pageInfoOf(page) };
    },
  };
}

function campaignOf({ id, title, body, brand, events, ...page }: Route): NormalCampaign {
  return {
    id: String(id),
    title,
    ...(body === undefined ? {} : { body }),
    ...(brand === undefined ? {} : { brand: brandOf(brand) }),
    ...(events === undefined ? {} : { events: events.map(eventOf), ...pageInfoOf(page) }),
  };
}

function brandOf({ id, name }: Route): NormalBrand {
  return { id: String(id), name };
}

function eventOf({ id, title, body, startsAt }: Route): NormalEvent {
  return {
    id: String(id),
    title,
    ...(body === undefined ? {} : { body }),
    ...(startsAt === undefined ? {} : { startsAt: moment(startsAt) }),
  };
}

function pageInfoOf({ hasNextPage, endCursor }: Pick<Route, 'hasNextPage' | 'endCursor'>) {
  return hasNextPage === undefined ? {} : { pageInfo: { hasNextPage, hasEndCursor: endCursor != null } };
}
