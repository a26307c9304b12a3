import { Trace } from '@apollo/usage-reporting-protobuf';
import { type Test, t } from 'tap';
import { globalId, makeData } from '../support/data.ts';
import { startServer } from '../support/server.ts';

type Node = Trace.INode;

const FTV1 = { 'apollo-federation-include-trace': 'ftv1' };
const DOCUMENT = '{ first: campaigns(first: 2) { nodes { title events(first: 1) { totalCount } } } }';

async function start(t: Test, env: Record<string, string>) {
  const server = await startServer(t, { redis: null, env });
  await makeData(server.sql, { brands: 1, campaigns: 2, events: 3, perCampaign: 1 });
  await server.database.drained();
  return server;
}

function decode(extensions: Readonly<Record<string, unknown>> | undefined): Trace {
  return Trace.decode(Buffer.from(String(extensions?.ftv1), 'base64'));
}

/** The node at a place, by response names and indexes. */
function at(root: Node | null | undefined, ...path: (string | number)[]): Node | undefined {
  let node = root ?? undefined;
  for (const key of path) {
    node = node?.child?.find((child) => (typeof key === 'number' ? child.index : child.responseName) === key);
  }
  return node;
}

t.test('on request each field is in the trace, with its time', async (t) => {
  const server = await start(t, { APOLLO_TRACING: 'true' });
  const plain = await server.query(DOCUMENT);
  t.equal(plain.extensions, undefined, 'nobody else gets it');
  const answer = await server.query(DOCUMENT, undefined, FTV1);
  t.same(answer.data, plain.data);
  const trace = decode(answer.extensions);
  t.ok(trace.durationNs > 0);
  t.ok(Math.abs(Number(trace.startTime?.seconds) - Date.now() / 1000) < 60);
  const list = at(trace.root, 'first');
  t.match(list, { parentType: 'Query', type: /^CampaignConnection!?$/, originalFieldName: 'campaigns' });
  const title = at(trace.root, 'first', 'nodes', 1, 'title');
  t.match(title, { parentType: 'Campaign', type: 'String!' });
  t.equal(at(trace.root, 'first', 'nodes')?.child?.length, 2);
  const count = at(trace.root, 'first', 'nodes', 0, 'events', 'totalCount');
  t.match(count, { type: 'Int!' });
  for (const node of [list, title, count]) {
    t.ok(Number(node?.endTime) >= Number(node?.startTime), `${node?.responseName} ends after it begins`);
    t.ok(Number(node?.endTime) <= trace.durationNs, `${node?.responseName} ends within the request`);
  }
  t.ok(Number(list?.endTime) - Number(list?.startTime) > 100_000, 'a list takes the time of its statement');
});

t.test('errors stand where they happened, as the client sees them', async (t) => {
  const server = await start(t, { APOLLO_TRACING: 'true' });
  const document = `{ a: campaign(id: "${globalId('Campaign', 1)}") { events(first: 101) { totalCount } } }`;
  const plain = await server.query(document);
  const { errors, data, extensions } = await server.query(document, undefined, FTV1);
  t.same({ errors, data }, { errors: plain.errors, data: plain.data });
  const trace = decode(extensions);
  const [error] = at(trace.root, ...((errors?.[0]?.path ?? []) as string[]))?.error ?? [];
  t.equal(error?.message, errors?.[0]?.message);
});

t.test('it stands beside what else was asked for', async (t) => {
  const server = await start(t, { APOLLO_TRACING: 'true' });
  const { extensions } = await server.query(DOCUMENT, undefined, { ...FTV1, 'x-inspect': '1', 'x-cost': '1' });
  t.same(Object.keys(extensions ?? {}).toSorted(), ['cost', 'dataFetching', 'ftv1']);
});

t.test('unless it is configured, the header does nothing', async (t) => {
  const server = await start(t, {});
  t.equal((await server.query(DOCUMENT, undefined, FTV1)).extensions, undefined);
});
