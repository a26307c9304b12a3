import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from 'larder/fastify';
import { pino } from 'pino';
import { openLarder } from '../src/larder.ts';
import { schema } from '../src/schema.ts';

const larder = await openLarder(pino({ level: 'warn' }));
// A busy machine, as those of CI are, may lag for longer than a server should; here no request is turned away for that.
const app = await createServer({ larder, schema, inspect: 'always', limits: { maxEventLoopDelayMs: 0 } });
after(async () => {
  await app.close();
  await larder.close();
});

const { Author, Book } = larder.repositories;
const ada = await Author.create({ name: 'Ada' });
for (const [title, year] of [
  ['Sketch', 1842],
  ['Notes', 1843],
] as const)
  await Book.create({ authorId: ada.id, title, published: `${year}-09-01T00:00:00Z` });

async function ask(query: string) {
  const response = await app.inject({ method: 'POST', url: '/graphql', payload: { query } });
  const { data, errors, extensions } = response.json();
  assert.equal(errors, undefined);
  return { data, statements: extensions.dataFetching.sql.statements as number };
}

test('a nested page has the newest books first, and costs two statements once it is warm', async () => {
  const page = '{ authors(last: 1) { edges { node { name books(first: 2) { edges { node { title } } } } } } }';
  let answer = await ask(page);
  for (let i = 0; i < 600 && answer.statements > 2; i += 1) {
    await sleep(100);
    answer = await ask(page);
  }
  assert.equal(answer.statements, 2);
  const [{ node }] = answer.data.authors.edges;
  assert.equal(node.name, 'Ada');
  assert.deepEqual(
    node.books.edges.map((edge: { node: { title: string } }) => edge.node.title),
    ['Notes', 'Sketch'],
  );
});

test('what is written is read at once', async () => {
  const page = '{ authors(last: 1) { edges { node { id name } } } }';
  const { data } = await ask(page);
  const [{ node }] = data.authors.edges;
  await Author.update(ada.id, { name: 'Ada Lovelace' });
  assert.equal((await ask(`{ author(id: "${node.id}") { name } }`)).data.author.name, 'Ada Lovelace');
});
