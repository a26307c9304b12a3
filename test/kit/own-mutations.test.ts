import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Fastify from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { t } from 'tap';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { larderFastify } from '../../src/http/index.ts';
import { createLarder, type Entities } from '../../src/index.ts';
import { encodeGlobalId } from '../../src/pothos/index.ts';
import { blocks, section } from '../docs/document.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { fillLibrary } from './library.ts';

/** The program of docs/your-tables.md, whose doors are those of this source. */
async function program(directory: string): Promise<{ entities: Entities; schema: GraphQLSchema }> {
  const [block] = blocks(section('docs/your-tables.md', 'Mutations'));
  const door = (...path: string[]) => `'${pathToFileURL(join(REPOSITORY, 'src', ...path))}'`;
  const text = block?.text
    .replaceAll(`'larder'`, door('index.ts'))
    .replace(`'larder/pothos'`, door('pothos', 'index.ts'));
  const file = join(directory, 'mutations.ts');
  writeFileSync(file, text ?? '');
  return import(file);
}

const { entities, schema } = await program(t.testdir({}));
const database = await freshDatabase(t);
await fillLibrary(openSql(t, database), 1, 1);
const larder = await createLarder({ entities, postgres: { url: database.url } });
t.teardown(() => larder.close());
const app = Fastify();
t.teardown(() => app.close());
await app.register(larderFastify, { larder, schema, auth: null, limits: { maxEventLoopDelayMs: 0 } });
const ask = async (query: string) => (await app.inject({ method: 'POST', url: '/graphql', payload: { query } })).json();
const rename = (id: string, name: string) =>
  `renameAuthor(input: { id: "${id}", name: "${name}" }) { author { name } }`;
const id = encodeGlobalId('Author', '1');

t.test('the mutations of docs/your-tables.md answer what each has written, one after the other', async (t) => {
  const written = { a: { author: { name: 'A' } }, b: { author: { name: 'B' } } };
  t.same(await ask(`mutation { a: ${rename(id, 'A')} b: ${rename(id, 'B')} }`), { data: written });
  t.same(await ask(`{ author(id: "${id}") { name } }`), { data: { author: { name: 'B' } } });
});

t.test('they say what is wrong, and the others are written', async (t) => {
  const nobody = encodeGlobalId('Author', '99');
  const answer = await ask(`mutation { a: ${rename(id, '')} b: ${rename(nobody, 'B')} c: ${rename(id, 'C')} }`);
  t.match(answer.data, { a: null, b: null, c: { author: { name: 'C' } } });
  t.match(answer.errors, [
    { path: ['a'], extensions: { code: 'BAD_USER_INPUT', field: 'name', reason: 'REQUIRED' } },
    { path: ['b'], extensions: { code: 'BAD_USER_INPUT', field: 'id', reason: 'NOT_FOUND' } },
  ]);
});

t.test('they add an edge with the cursor that the list gives it', async (t) => {
  const edge = '{ cursor node { id name } }';
  const { data } = await ask(`mutation { it: createAuthor(input: { name: "Grace" }) { authorEdge ${edge} } }`);
  t.match(data, { it: { authorEdge: { node: { name: 'Grace' } } } });
  t.same(await ask(`{ authors(last: 1) { edges ${edge} } }`), { data: { authors: { edges: [data.it.authorEdge] } } });
});
