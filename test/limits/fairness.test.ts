import { t } from 'tap';
import { startProcess } from '../http/child.ts';
import { codes, keepAlive, type Received, send } from '../http/client.ts';
import { makeData } from '../support/data.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase } from '../support/services.ts';
import { freshAttack } from './attacks.ts';

const ATTACKERS = 60;
/** More than may wait, and as many connections as an agent keeps open. */
const CROWD = 250;
/** What takes a server a while to look at, and is new to it each time. */
const ATTACK = 'fields of the same name, deep';

const QUERY = '{ campaigns(first: 5) { nodes { title events(first: 5) { nodes { title } } } } }';

const database = await freshDatabase(t);
await makeData(openSql(t, database), { brands: 2, campaigns: 12, events: 30, perCampaign: 10 });
const env = { MAX_EVENT_LOOP_DELAY_MS: '0', REQUEST_TIMEOUT_MS: '60000' };
const server = await startProcess(t, { database, redis: null }, env);

/** Sends requests while the server stands still, so that it finds all of them at once; answers in which order it answered. */
async function together(requests: readonly (() => Promise<Received>)[]): Promise<number[]> {
  const order: number[] = [];
  server.kill('SIGSTOP');
  const answers = requests.map(async (request, i) => {
    const answer = await request();
    order.push(i);
    return answer;
  });
  // The requests are with the kernel by then: their connections were open.
  await new Promise((resolve) => setTimeout(resolve, 200));
  server.kill('SIGCONT');
  await Promise.all(answers);
  return order;
}

t.test('who asks what the server knows does not wait for all that others send it to look at', async (t) => {
  const attackers = keepAlive(t, ATTACKERS);
  const honest = keepAlive(t, 1);
  const attack = () => send(server.url, { ...freshAttack(ATTACK), agent: attackers });
  const ask = () => send(server.url, { body: { query: QUERY }, agent: honest });
  // So that connections are open and code is compiled.
  const expected = (await ask()).text;
  await Promise.all(Array.from({ length: ATTACKERS }, attack));
  t.equal((await ask()).text, expected);

  const order = await together([...Array.from({ length: ATTACKERS }, () => attack), ask]);
  const place = order.indexOf(ATTACKERS);
  t.ok(place < ATTACKERS / 2, `of ${ATTACKERS} attacks, which were sent before it, ${place} were answered before it`);
});

t.test('one new document is looked at once, however many ask for it', async (t) => {
  const agent = keepAlive(t, CROWD);
  const query = `{ ${'brands { totalCount } '.repeat(5)} }`;
  const answers = await Promise.all(Array.from({ length: CROWD }, () => send(server.url, { body: { query }, agent })));
  t.same([...new Set(answers.map(({ text }) => text))], ['{"data":{"brands":{"totalCount":2}}}']);
});

t.test('more new documents than a server can look at soon are turned away', async (t) => {
  const agent = keepAlive(t, CROWD);
  const body = (i: number) => ({ query: `{ brands { totalCount } } # ${i}` });
  // So that connections are open.
  await Promise.all(Array.from({ length: CROWD }, () => send(server.url, { body: { query: QUERY }, agent })));
  let answers: Received[] = [];
  await together(
    Array.from({ length: CROWD }, (_, i) => async () => {
      const answer = await send(server.url, { body: body(i), agent });
      answers.push(answer);
      return answer;
    }),
  );
  const refused = answers.filter(({ status }) => status !== 200);
  t.ok(refused.length > 0 && refused.length < CROWD, `${refused.length} of ${CROWD}`);
  for (const answer of refused) {
    t.same([answer.status, codes(answer), answer.headers['retry-after']], [503, ['UNAVAILABLE'], '1']);
  }
  answers = await Promise.all(Array.from({ length: 20 }, (_, i) => send(server.url, { body: body(i), agent })));
  t.ok(
    answers.every(({ status }) => status === 200),
    'a moment later there is room again',
  );
});
