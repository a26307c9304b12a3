import { t } from 'tap';
import { checkBodies } from '../stage/check-bodies.ts';
import { markOf, sawPage } from '../stage/pages.ts';
import type { LarderProcess } from '../stage/process.ts';
import { type Stage, setStage, settle } from '../stage/stage.ts';
import { globalId } from '../support/data.ts';
import { openProxy } from '../support/proxy.ts';
import { createRandom, raceSeed } from './support/random.ts';
import { type ServerProcess, startServerProcess } from './support/server-process.ts';

const DEATHS = 3;
const WRITES = 20;

interface Campaign {
  readonly id: string;
  readonly title: string;
  readonly body: string;
}

const NODE = 'query ($id: ID!) { campaign(id: $id) { id title body } }';
const LIST = '{ campaigns(first: 100) { nodes { id title body } } }';
const UPDATE = `mutation ($id: ID!, $mark: String!) {
  updateCampaign(input: { id: $id, title: $mark, body: $mark }) { campaign { title } }
}`;

const databaseId = (id: string) => Buffer.from(id, 'base64').toString().split(':')[1] ?? '';

/** Reads by id and by list over HTTP, until it is told to end or the server dies. */
async function readServer(stage: Stage, server: ServerProcess, ids: readonly string[], going: () => boolean) {
  const random = createRandom(raceSeed());
  while (going()) {
    try {
      await readOnce(stage, server, random.pick(ids));
    } catch (error) {
      // The request under way dies with its server.
      if (going()) throw error;
    }
  }
}

async function readOnce({ history }: Stage, server: ServerProcess, id: string): Promise<void> {
  const reading = history.reading('id', 'the server');
  const { campaign } = await server.ask<{ campaign: Campaign | null }>(NODE, { id: globalId('Campaign', id) });
  reading.saw(`Campaign-${id}`, markOf(campaign, history));
  const listing = history.reading('list', 'the server');
  const { campaigns } = await server.ask<{ campaigns: { nodes: Campaign[] } }>(LIST, {});
  const items = campaigns.nodes.map((entity) => ({ id: databaseId(entity.id), entity }));
  sawPage(history, listing, 'Campaign-', items);
}

async function readProcess(stage: Stage, process: LarderProcess, ids: readonly string[], going: () => boolean) {
  while (going()) {
    await stage.byId(process, 'Campaign', ids);
    await stage.list(process, 'Campaign');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

t.test('a server that is killed between its commit and its invalidation', async (t) => {
  const stage = await setStage(t);
  const { history } = stage;
  const ids = Array.from({ length: 8 }, (_, i) => String(1 + i));
  const others = await Promise.all([stage.open(), stage.open({ memoryMaxEntries: 0 })]);
  const proxy = await openProxy(t, stage.redis.port);

  for (let death = 1; death <= DEATHS; death += 1) {
    const server = await startServerProcess(t, stage.database.url, `redis://127.0.0.1:${proxy.port}`);
    await settle(stage);
    let alive = true;
    let reading = true;
    const readers = others.map((process) => readProcess(stage, process, ids, () => reading));
    const client = readServer(stage, server, ids, () => alive);

    for (let i = 0; i < WRITES; i += 1) {
      const key = `Campaign-${1 + (i % 4)}`;
      const writing = history.writing(key, history.mark(key));
      await server.ask(UPDATE, { id: globalId('Campaign', 1 + (i % 4)), mark: writing.mark });
      writing.committed();
      writing.answered();
    }
    t.same(history.violations, [], 'what it wrote, every process read back');

    await settle(stage);
    const unlink = proxy.hold('unlink');
    const writing = history.writing('Campaign-5', history.mark('Campaign-5'));
    const answer = server.ask(UPDATE, { id: globalId('Campaign', 5), mark: writing.mark });
    await unlink.reached;
    alive = false;
    await Promise.all([t.rejects(answer, `it died before it answered, for the ${death}. time`), server.kill(), client]);
    proxy.cut();
    unlink.release();
    const [row] = await stage.sql`select title from campaigns where id = 5`;
    t.equal(row?.title, writing.mark, 'but it had committed');
    writing.committed();

    await settle(stage);
    for (const process of others) await stage.byId(process, 'Campaign', ids);
    reading = false;
    await Promise.all(readers);
    t.ok((await checkBodies(stage)) > 0, 'some bodies are cached');
    t.same(history.violations, [], 'no read broke the contract, and every body equals its row');
  }
  process.stderr.write(
    `    killed servers: ${history.judged} reads judged, ${history.writes.answered} writes answered, ${DEATHS} deaths\n`,
  );
});
