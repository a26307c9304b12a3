import type { Scope } from '../../../src/bodies/scope.ts';
import type { Entity } from '../../../src/entity/definition.ts';
import type { PageItem } from '../../../src/lists/page.ts';
import type { PageRequest } from '../../../src/lists/page-request.ts';
import type { Reading } from '../../stage/history.ts';
import { markOf, sawPage, WHOLE_PAGE } from '../../stage/pages.ts';
import {
  brandOf,
  type EntityName,
  HOME_BRANDS,
  HUBS,
  hubOf,
  keyOf,
  LAST_GIVEN_ID,
  type Row,
} from '../../stage/rows.ts';
import type { Random } from './random.ts';
import { repositoryIn, SIZES, type StormProcess, type World } from './storm-world.ts';

const KINDS: readonly EntityName[] = ['Brand', 'Campaign', 'Event'];

/** One request to one process. */
interface Request {
  readonly world: World;
  readonly process: StormProcess;
  readonly random: Random;
  readonly scope: Scope;
  /** When it began: what it reads twice may be as old as its first reading. */
  readonly begunAt: number;
}

/**
 * Sends requests to one process, one after the other, and judges what they answer.
 *
 * @param world the storm
 * @param process whom
 * @param random what is asked
 * @param going whether to go on
 */
export async function readers(
  world: World,
  process: StormProcess,
  random: Random,
  going: () => boolean,
): Promise<void> {
  const { history } = world.stage;
  while (going()) {
    const request = { world, process, random, scope: process.larder.scope(), begunAt: performance.now() };
    try {
      await anyRequest(request);
    } catch (error) {
      // Whatever happens to Redis, a request is answered.
      history.violation(`${process.name}: a request failed: ${error instanceof Error ? error.stack : String(error)}`);
    }
    // The others get their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * Reads by id, in each process, all rows that there were in the beginning.
 *
 * @param world the storm, in which nothing moves any more
 */
export async function readAll(world: World): Promise<void> {
  const { history } = world.stage;
  for (const process of world.processes) {
    for (const entity of KINDS) {
      const rows = Array.from({ length: SIZES[entity] }, (_, i): Row => ({ entity, id: String(1 + i) }));
      const ids = rows.map(({ id }) => id);
      // Twice: what the first reading leaves in memory, the second finds there.
      for (let i = 0; i < 2; i += 1) {
        const reading = history.reading('id', `${process.name}, in the calm`);
        const found = await repositoryIn(process, entity).findByIds(ids, process.larder.scope());
        for (const [i, row] of rows.entries()) reading.saw(keyOf(row), markOf(found[i] ?? null, history));
      }
    }
  }
}

async function anyRequest(request: Request): Promise<void> {
  const { random } = request;
  const dice = random.next();
  const kind = random.pick(KINDS);
  if (dice < 0.6) await byIds(request, kind, [anyId(request, kind)]);
  else if (dice < 0.76) {
    await byIds(
      request,
      kind,
      Array.from({ length: 2 + random.below(8) }, () => anyId(request, kind)),
    );
  } else if (dice < 0.83) await wholeList(request, kind);
  else if (dice < 0.94) await (random.chance(0.5) ? eventsOfCampaigns(request) : campaignsOfBrands(request));
  else await mixed(request, kind);
}

/** Some rows are asked for more often than others, and some that are not there, or not yet. */
function anyId({ world, random }: Request, kind: EntityName): string {
  if (random.chance(0.1)) {
    const last = world.born.findLast((row) => row.entity === kind);
    return String(Number(last?.id ?? LAST_GIVEN_ID) + random.below(3));
  }
  return String(1 + Math.floor(SIZES[kind] * random.next() ** 2));
}

async function byIds(request: Request, entity: EntityName, ids: readonly string[]): Promise<void> {
  const { process, scope, world, begunAt } = request;
  const { history } = world.stage;
  const reading = history.reading('id', process.name, begunAt);
  const found = await repositoryIn(process, entity).findByIds(ids, scope);
  for (const [i, id] of ids.entries()) reading.saw(keyOf({ entity, id }), seen(request, entity, found[i] ?? null));
}

async function wholeList(request: Request, entity: EntityName): Promise<void> {
  const { process, scope, world } = request;
  const { history } = world.stage;
  const reading = history.reading('list', process.name);
  const [page] = await repositoryIn(process, entity).list('all', [WHOLE_PAGE], scope);
  for (const item of page?.items ?? []) seen(request, entity, item.entity);
  sawPage(history, reading, `${entity}-`, page?.items ?? []);
}

/** The events of all campaigns that have some: one list statement for all, with pages of different sizes and directions. */
async function eventsOfCampaigns(request: Request): Promise<void> {
  const { process, scope, world, random } = request;
  const { history } = world.stage;
  const reading = history.reading('list', process.name);
  const hubs = Array.from({ length: HUBS }, (_, i) => String(1 + i));
  const requests = hubs.map((parent) => anyPage(random, { parent, order: random.pick(['STARTS_AT', 'ID']) }));
  const pages = await process.larder.repositories.Event.list('ofCampaign', requests, scope);
  for (const [i, page] of pages.entries()) {
    sawSome(
      request,
      reading,
      'Event',
      requests[i] as PageRequest,
      page.items,
      (id) => isOld('Event', id) && hubOf(id) === hubs[i],
    );
  }
}

async function campaignsOfBrands(request: Request): Promise<void> {
  const { process, scope, world, random } = request;
  const reading = world.stage.history.reading('list', process.name);
  const brands = Array.from({ length: HOME_BRANDS }, (_, i) => String(1 + i));
  const requests = brands.map((parent) => anyPage(random, { parent, order: 'ID' }));
  const pages = await process.campaigns.list('ofBrand', requests, scope);
  for (const [i, page] of pages.entries()) {
    const onList = (id: string) => isOld('Campaign', id) && brandOf(id) === brands[i];
    sawSome(request, reading, 'Campaign', requests[i] as PageRequest, page.items, onList);
  }
}

/** Several things at once in one request, which share its identity map, and then some again. */
async function mixed(request: Request, kind: EntityName): Promise<void> {
  const ids = Array.from({ length: 3 }, () => anyId(request, kind));
  await Promise.all([byIds(request, kind, ids), wholeList(request, kind), eventsOfCampaigns(request)]);
  await Promise.all([wholeList(request, kind), byIds(request, kind, ids)]);
}

function anyPage(random: Random, page: { parent: string; order: string }): PageRequest {
  const limit = random.chance(0.5) ? WHOLE_PAGE.limit : 1 + random.below(4);
  return { ...WHOLE_PAGE, ...page, limit, direction: random.pick(['ASC', 'DESC']), backward: random.chance(0.3) };
}

function isOld(entity: EntityName, id: string): boolean {
  return Number(id) <= SIZES[entity];
}

/** Of a page that may end early, nothing can be said about what is not on it. */
function sawSome(
  request: Request,
  reading: Reading,
  entity: EntityName,
  { limit }: PageRequest,
  items: readonly PageItem<Entity>[],
  onList: (id: string) => boolean,
): void {
  const { history } = request.world.stage;
  for (const item of items) seen(request, entity, item.entity);
  sawPage(history, reading, `${entity}-`, items, limit === WHOLE_PAGE.limit ? onList : () => false);
}

/** The mark of an entity, which must have the fields of its process' deploy and no others. */
function seen({ process, world }: Request, kind: EntityName, entity: Entity | null): string | null {
  const { history } = world.stage;
  if (kind === 'Campaign' && entity !== null) {
    const fields = Object.keys(entity).sort().join();
    const expected = process.deploy === 'A' ? 'body,brandId,id,title' : 'body,brandId,id,subtitle,title';
    if (fields !== expected) history.violation(`${process.name}: a campaign of deploy ${process.deploy} has ${fields}`);
    const { title, subtitle = title } = entity as { title?: string; subtitle?: string };
    if (subtitle !== title) history.violation(`${process.name}: title ${title} and subtitle ${subtitle}`);
  }
  return markOf(entity, history);
}
