import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import Fastify from 'fastify';
import {
  defaultFieldResolver,
  execute,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isObjectType,
  parse,
  print,
} from 'graphql';
import { type Test, t } from 'tap';
import { systemClock } from '../../../src/clock.ts';
import { createDocuments } from '../../../src/http/documents/documents.ts';
import { createPlans } from '../../../src/http/documents/plans.ts';
import larderFastify, { type LarderFastifyOptions } from '../../../src/http/index.ts';
import { createSplicer } from '../../../src/http/splice/splice.ts';
import { createLarder } from '../../../src/index.ts';
import LarderPlugin, { encodeGlobalId, type LarderContext } from '../../../src/pothos/index.ts';
import { entities, makeLibrary, type Repositories } from '../../support/library.ts';
import { librarySchema } from '../../support/library-schema.ts';
import { freshDatabase } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';
import { until } from '../../support/until.ts';
import { serveSchema } from './support/serve-schema.ts';

// The first three times graphql-js executes a document, and from the fourth on the executor that writes text.
const BEFORE = 3;

const database = await freshDatabase(t);
await makeLibrary(openSql(t, database), { libraries: 2, shelves: 4, books: 1, perShelf: 1 });
const larder = await createLarder({ entities, postgres: { url: database.url } });
t.teardown(() => larder.close());

const serve = (t: Test, schema: GraphQLSchema, limits: LarderFastifyOptions['limits'] = {}) =>
  serveSchema(t, larder, schema, limits);

type Resolver = NonNullable<ReturnType<typeof fieldOf>['resolve']>;

function fieldOf(schema: GraphQLSchema, typename: string, name: string) {
  const type = schema.getType(typename);
  const field = isObjectType(type) ? type.getFields()[name] : undefined;
  if (field === undefined) throw new TypeError(`Expected a field, got none: ${typename}.${name}.`);
  return field;
}

/** Wraps the resolver of a field, as tools for traces and permissions do. */
function wrap(schema: GraphQLSchema, typename: string, name: string, make: (inner: Resolver) => Resolver): void {
  const field = fieldOf(schema, typename, name);
  field.resolve = make(field.resolve ?? defaultFieldResolver);
}

/** A schema with a type of values that refuses those of one shelf, and how often its resolver of shelves was called. */
function refusingSchema() {
  const builder = new SchemaBuilder<{
    Context: LarderContext<Repositories>;
    Scalars: { Title: { Input: string; Output: string } };
  }>({ plugins: [RelayPlugin, DataloaderPlugin, LarderPlugin] });
  builder.scalarType('Title', {
    serialize: (value) => {
      if (value === 'Shelf 2') throw new RangeError('Expected another shelf.');
      return value;
    },
  });
  builder.entity('Shelf', { fields: (t) => ({ title: t.expose('title', { type: 'Title', nullable: true }) }) });
  builder.queryType({ fields: (t) => ({ shelves: t.entityConnection('Shelf') }) });
  return builder.toSchema();
}

t.test('a value that its type refuses is told as graphql-js tells it', async (t) => {
  const schema = refusingSchema();
  const calls: GraphQLResolveInfo[] = [];
  wrap(schema, 'Query', 'shelves', (inner) => (parent, args, context, info) => {
    calls.push(info);
    return inner(parent, args, context, info);
  });
  const ask = await serve(t, schema);
  for (let i = 0; i < BEFORE + 3; i += 1) {
    const answer = await ask('{ shelves { nodes { title } } }');
    t.equal(answer.statusCode, 200);
    t.match(answer.json(), {
      data: { shelves: { nodes: [{ title: 'Shelf 1' }, { title: null }, { title: 'Shelf 3' }, { title: 'Shelf 4' }] } },
      errors: [{ path: ['shelves', 'nodes', 1, 'title'], extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    });
  }
  t.equal(calls.length, BEFORE + 2 * 3, 'only what graphql-js must tell is executed again');
});

t.test('what is no fault of a value is said at once', async (t) => {
  const schema = librarySchema();
  let calls = 0;
  const secret = {
    get totalCount(): never {
      throw new RangeError('secret');
    },
  };
  wrap(schema, 'Query', 'shelves', () => () => {
    calls += 1;
    return secret;
  });
  const ask = await serve(t, schema);
  for (let i = 1; i <= BEFORE + 3; i += 1) {
    const answer = await ask('{ shelves { totalCount } }');
    t.equal(answer.statusCode, i > BEFORE ? 500 : 200);
    t.match(answer.json(), { errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] });
    t.notMatch(answer.body, /secret/);
    t.equal(calls, i, 'it is not executed again');
  }
});

t.test('what has run out of time is not executed again', async (t) => {
  const schema = librarySchema();
  let calls = 0;
  let release = (): void => {};
  let isHeld = false;
  wrap(schema, 'Query', 'shelves', () => async () => {
    calls += 1;
    if (isHeld) await new Promise<void>((resolve) => (release = resolve));
    return { nodes: null };
  });
  const ask = await serve(t, schema, { requestTimeoutMs: 2000 });
  const query = '{ shelves { nodes { title } } }';
  let answered = 0;
  // A busy machine may stand still for longer than a request may take here.
  await until('it is known well enough', async () => {
    if ((await ask(query)).statusCode === 200) answered += 1;
    return answered === BEFORE;
  });
  const before = calls;
  isHeld = true;
  t.equal((await ask(query)).statusCode, 503);
  t.equal(calls, before + 1);
  release();
  // What would be executed again would be so at once: it waits for no store.
  for (let i = 0; i < 5; i += 1) await new Promise(setImmediate);
  t.equal(calls, before + 1);
});

/** Where a resolver is called. */
const placeOf = ({ path }: GraphQLResolveInfo): string => {
  const keys: unknown[] = [];
  for (let place: typeof path | undefined = path; place !== undefined; place = place.prev) keys.unshift(place.key);
  return keys.join('.');
};

/** All that a resolver is told of its field. */
const told = ({ path, parentType, returnType, fieldNodes, operation, fragments, ...info }: GraphQLResolveInfo) =>
  JSON.stringify({
    path,
    types: [String(parentType), String(returnType), info.schema.getQueryType()?.name],
    documents: [...fieldNodes, operation, ...Object.values(fragments)].map(print),
    variables: info.variableValues,
    root: info.rootValue,
    name: info.fieldName,
    keys: Object.keys(info).toSorted(),
  });

const NESTED = `{ libraries { edges { node { name shelves(first: 1) { nodes { ...F } } } } } }
  fragment F on Shelf { title up: library { name } ... { up: library { id } } }`;

for (const [title, isWrapped, note] of [
  ["those of Larder's own fields", (field: { resolve?: unknown }) => field.resolve !== undefined, told],
  // Then the compiler executes it, which has a document of its own to tell of.
  ['each of all fields, also of columns and of pages', () => true, placeOf],
] as const) {
  t.test(`who wraps resolvers is called as by graphql-js: ${title}`, async (t) => {
    const schema = librarySchema();
    let calls: string[] = [];
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type) || type.name.startsWith('__')) continue;
      for (const field of Object.values(type.getFields())) {
        if (!isWrapped(field)) continue;
        wrap(schema, type.name, field.name, (inner) => (parent, args, context, info) => {
          calls.push(note(info));
          return inner(parent, args, context, info);
        });
      }
    }
    const ask = await serve(t, schema);
    const { body } = await ask(NESTED);
    const expected = calls.toSorted();
    t.ok(expected.length >= 5);
    for (let i = 0; i < BEFORE + 3; i += 1) {
      calls = [];
      t.equal((await ask(NESTED)).body, body);
      t.same(calls.toSorted(), expected);
    }
  });
}

t.test('a wrapped resolver may return a promise of its own kind', async (t) => {
  const schema = librarySchema();
  wrap(schema, 'Query', 'shelf', (inner) => (...given) => {
    const found = Promise.resolve(inner(...given));
    // biome-ignore lint/suspicious/noThenProperty: as query builders have it
    return { then: found.then.bind(found) };
  });
  const ask = await serve(t, schema);
  const query = `{ shelf(id: "${encodeGlobalId('Shelf', '1')}") { title } }`;
  const expected = { data: { shelf: { title: 'Shelf 1' } } };
  for (let i = 0; i < BEFORE + 3; i += 1) t.same((await ask(query)).json(), expected);
});

t.test('a field that fails at once leaves nothing behind that ends the process', async (t) => {
  const schema = librarySchema();
  // Neither is a page: its nodes must not be null. The first says so later.
  const bad = { nodes: null };
  wrap(schema, 'Query', 'shelves', () => (_parent, _args, _context, { path }) => {
    return path.key === 'later' ? new Promise((resolve) => setImmediate(resolve, bad)) : bad;
  });
  const ask = await serve(t, schema);
  const page = 'shelves { nodes { library { name } } }';
  for (let i = 0; i < BEFORE + 3; i += 1) {
    const answer = await ask(`{ later: ${page} now: ${page} }`);
    t.equal(answer.statusCode, 200);
    t.match(answer.json(), { data: { later: null, now: null }, errors: [{}, {}] });
  }
  await new Promise(setImmediate);
});

t.test("whoever reads by id in a way of one's own is asked, also for what memory holds", async (t) => {
  const { Shelf } = larder.repositories;
  const asked: string[] = [];
  const own: typeof Shelf = {
    ...Shelf,
    findByIds: (ids, scope) => {
      asked.push(...ids);
      return Shelf.findByIds(ids, scope);
    },
  };
  const query = `{ shelf(id: "${encodeGlobalId('Shelf', '1')}") { title } }`;
  const contextValue = () => {
    const context = larder.createContext();
    context.scope.asksInTurn = true;
    return { ...context, repositories: { ...larder.repositories, Shelf: own } };
  };
  const schema = librarySchema();
  for (let i = 0; i < 3; i += 1) {
    const { data } = await execute({ schema, document: parse(query), contextValue: contextValue() });
    t.same(JSON.parse(JSON.stringify(data)), { shelf: { title: 'Shelf 1' } });
  }
  t.same(asked, ['1', '1', '1']);
});

t.test('what memory holds is answered without a promise where nothing is asked beside it', async (t) => {
  // Memory answers for longer than this takes on any machine.
  const cache = { maxStalenessMs: 600_000, memoryTtlMs: 300_000 };
  await using warm = await createLarder({ entities, postgres: { url: database.url }, cache });
  const schema = librarySchema();
  const operationOf = createDocuments(schema, 10_000, systemClock);
  const planned = async (text: string) => {
    const operation = createSplicer(schema)(createPlans()(await operationOf(text, null), {}));
    if (operation === null) throw new TypeError('Expected an operation that is written as text.');
    return operation;
  };
  const chain = await planned('query ($id: ID!) { shelf(id: $id) { title up: library { name } } }');
  const variables = { id: encodeGlobalId('Shelf', '2') };
  await until('memory has all of it', async () => {
    const answer = chain(warm.createContext(), variables);
    await answer;
    return !(answer instanceof Promise);
  });
  const context = warm.createContext();
  t.notOk(chain(context, variables) instanceof Promise);
  const counted = { hits: 1, memoryHits: 1, misses: 0 };
  t.match(context.scope.trace.cache, { Shelf: counted, Library: counted });
  const beside = await planned('query ($id: ID!) { a: shelf(id: $id) { title } b: shelf(id: $id) { title } }');
  const both = beside(warm.createContext(), variables);
  t.ok(both instanceof Promise, 'what stands beside another field waits for it');
  await both;
});

for (const apolloTracing of [null, librarySchema]) {
  const who = apolloTracing === null ? '' : ', also where Apollo may ask for a trace';
  t.test(`what memory answers leaves when all requests of the turn have been read${who}`, async (t) => {
    const app = Fastify();
    t.teardown(() => app.close());
    const cache = { maxStalenessMs: 600_000, memoryTtlMs: 300_000 };
    const warm = await createLarder({ entities, postgres: { url: database.url }, cache });
    t.teardown(() => warm.close());
    const seen: string[] = [];
    app.addHook('preHandler', (_request, _reply, done) => {
      seen.push('read');
      done();
    });
    app.addHook('onSend', (_request, _reply, payload, done) => {
      seen.push('sent');
      done(null, payload);
    });
    await app.register(larderFastify, {
      larder: warm,
      schema: librarySchema(),
      apolloTracing,
      limits: { maxEventLoopDelayMs: 0 },
    });
    const payload = { query: `{ shelf(id: "${encodeGlobalId('Shelf', '2')}") { title } }` };
    const ask = () => app.inject({ method: 'POST', url: '/graphql', payload });
    for (let i = 0; i < BEFORE + 3; i += 1) await ask();
    seen.length = 0;
    const answers = await Promise.all(Array.from({ length: 8 }, ask));
    t.ok(answers.every(({ statusCode }) => statusCode === 200));
    t.same(seen, [...Array<string>(8).fill('read'), ...Array<string>(8).fill('sent')]);
  });
}
