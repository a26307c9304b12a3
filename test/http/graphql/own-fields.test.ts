import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import {
  execute,
  GraphQLEnumType,
  GraphQLError,
  GraphQLInt,
  GraphQLList,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  parse,
} from 'graphql';
import { type Test, t } from 'tap';
import { describeCosts, type LarderFastifyOptions } from '../../../src/http/index.ts';
import LarderPlugin, { type LarderContext } from '../../../src/pothos/index.ts';
import type { Repositories } from '../../support/library.ts';
import { openLibrary } from '../../support/open-library.ts';
import { serveSchema } from './support/serve-schema.ts';

// From the fourth time on, a document may be executed in another way than before.
const TIMES = 6;

const larder = await openLibrary(t, { libraries: 1, shelves: 2, books: 1, perShelf: 1 });

const soon = async <T>(value: T) => value;
const fails = (): never => {
  throw new RangeError('internal detail');
};
const later = async (message: string) => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  throw new RangeError(message);
};

interface Cat {
  readonly name: Promise<string>;
}

/** A schema with entities, and beside them what an application may have of its own. */
function mixedSchema(): GraphQLSchema {
  const builder = new SchemaBuilder<{
    Context: LarderContext<Repositories>;
    Objects: { Cat: Cat; Box: { need: string | null } };
    Scalars: { Odd: { Input: number; Output: number } };
  }>({ plugins: [RelayPlugin, DataloaderPlugin, LarderPlugin] });
  builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
  builder.scalarType('Odd', { serialize: (value) => (value % 2 === 1 ? value : fails()) });
  builder.objectType('Cat', { fields: (t) => ({ name: t.exposeString('name') }) });
  builder.objectType('Box', {
    isTypeOf: (_value, context) => (context as LarderContext).scope !== undefined,
    fields: (t) => ({ need: t.exposeString('need', { nullable: false } as never) }),
  });
  const pet = (name: string, resolveType: () => never | Promise<string>) =>
    builder.unionType(name, { types: ['Cat'], resolveType: resolveType as never });
  const [tame, wild] = [pet('Tame', () => soon('Cat')), pet('Wild', fails)];
  const cat = () => soon({ name: soon('Tom') });
  builder.queryType({
    fields: (t) => ({
      shelves: t.entityConnection('Shelf'),
      tame: t.field({ type: tame, nullable: true, resolve: cat }),
      wild: t.field({ type: wild, nullable: true, resolve: cat }),
      box: t.field({ type: 'Box', nullable: true, resolve: () => soon({ need: 'a lid' }) }),
      empty: t.field({ type: 'Box', nullable: true, resolve: () => soon({ need: null }) }),
      even: t.field({ type: 'Odd', nullable: true, resolve: () => 2 }),
      odd: t.field({ type: 'Odd', nullable: true, resolve: () => 3 }),
      list: t.field({
        type: ['String'],
        nullable: { list: true, items: true },
        resolve: () => [later('internal detail'), soon('b'), soon('c')],
      }),
    }),
  });
  return builder.toSchema();
}

async function serve(t: Test, schema: GraphQLSchema, limits: LarderFastifyOptions['limits'] = {}) {
  const said: string[] = [];
  const logger = { level: 'error', stream: { write: (line: string) => said.push(line) } };
  const send = await serveSchema(t, larder, schema, limits, logger);
  const ask = async (query: string) => {
    const answer = await send(query);
    return { status: answer.statusCode, ...answer.json() };
  };
  return { ask, said };
}

t.test("fields of one's own beside entities are answered each time as by graphql-js", async (t) => {
  const schema = mixedSchema();
  const { ask, said } = await serve(t, schema);
  for (const field of [
    'tame { ... on Cat { name } }',
    'wild { ... on Cat { name } }',
    'box { need }',
    'empty { need }',
    'even',
    'odd',
    'list',
  ]) {
    const query = `{ ${field} shelves(first: 1) { nodes { title } } }`;
    const contextValue = larder.createContext();
    const expected = await execute({ schema, document: parse(query), contextValue });
    for (let i = 1; i <= TIMES; i += 1) {
      said.length = 0;
      const { status, data, errors = [] } = await ask(query);
      t.equal(status, 200);
      t.same(data, JSON.parse(JSON.stringify(expected.data)), `${field}, ${i}`);
      const places = errors.map(({ path, locations }: GraphQLError) => ({ path, locations }));
      t.same(
        places,
        (expected.errors ?? []).map(({ path, locations }) => ({ path, locations })),
      );
      for (const error of errors) t.match(error, { extensions: { code: 'INTERNAL_SERVER_ERROR', errorId: String } });
      const messages = errors.map(({ message }: GraphQLError) => message);
      t.notMatch(messages.join(), /internal detail|Box|need/, 'nothing of it is shown');
      t.equal(said.length, errors.length, 'and all is in the log');
    }
  }
});

t.test('a list of objects that does not say how long it is counts as a page of the default size', async (t) => {
  const tag: GraphQLObjectType = new GraphQLObjectType({
    name: 'Tag',
    fields: () => ({
      name: { type: GraphQLString },
      more: { type: new GraphQLList(tag) },
      three: { type: new GraphQLList(tag), extensions: { entries: () => 3 } },
    }),
  });
  const query = new GraphQLObjectType({ name: 'Query', fields: { tags: { type: new GraphQLList(tag) } } });
  const schema = describeCosts(new GraphQLSchema({ query }));
  const { ask } = await serve(t, schema, { maxCost: 500 });
  t.match(await ask('{ tags { name more { name } } }'), { data: { tags: null } });
  t.match(await ask('{ tags { name more { name three { name } } } }'), {
    errors: [
      { extensions: { code: 'COST_LIMIT', path: ['tags', 'more', 'three'], cost: 20 * (1 + 20 * (1 + 1 + 3)) } },
    ],
  });
  t.equal(tag.getFields().more?.description, 'Cost: 1 for each entry, of which 20 are assumed.');
});

t.test('a method in place of a property is called', async (t) => {
  const box = new GraphQLObjectType({ name: 'Box', fields: { size: { type: GraphQLInt } } });
  const query = new GraphQLObjectType({
    name: 'Query',
    fields: { box: { type: box, resolve: () => ({ size: () => 3 }) } },
  });
  const { ask } = await serve(t, new GraphQLSchema({ query }));
  for (let i = 0; i < TIMES; i += 1) t.same((await ask('{ box { size } }')).data, { box: { size: 3 } });
});

t.test('whoever throws several errors, or one for the client, is told of at the place', async (t) => {
  const thrown = {
    none: Object.assign(new Error('internal detail'), { errors: [] }),
    several: new AggregateError([new Error('internal detail'), Object.assign(new Error('b'), { statusCode: 503 })]),
    texts: Object.assign(new Error('internal detail'), { errors: ['internal detail'] }),
  };
  const said = {
    asks: 'There is no city Pars. Did you mean Paris?',
    quotes: 'The filter wants a String "exact" or "prefix".',
    long: `Too long: ${'x'.repeat(2000)}`,
  };
  const field = (error: Error) => ({
    type: GraphQLInt,
    resolve: () => {
      throw error;
    },
  });
  const fields = [
    ...Object.entries(thrown),
    ...Object.entries(said).map(([name, message]) => [name, new GraphQLError(message)] as const),
  ].map(([name, error]) => [name, field(error)] as const);
  const query = new GraphQLObjectType({ name: 'Query', fields: Object.fromEntries(fields) });
  const { ask, said: logged } = await serve(t, new GraphQLSchema({ query }));
  for (const name of Object.keys(thrown)) {
    logged.length = 0;
    t.match(await ask(`{ ${name} }`), {
      status: 200,
      data: { [name]: null },
      errors: [{ path: [name], extensions: { code: 'INTERNAL_SERVER_ERROR', errorId: String } }],
    });
    t.equal(logged.length, 1, name);
    t.match(logged[0], /"stack":"/);
  }
  for (const [name, message] of Object.entries(said)) {
    t.match(await ask(`{ ${name} }`), { errors: [{ path: [name], message, extensions: { code: 'BAD_USER_INPUT' } }] });
  }
});

t.test('a value that the type of its field refuses is a fault of the server', async (t) => {
  const status = new GraphQLEnumType({ name: 'Status', values: { OPEN: {} } });
  const ofTheirs = new GraphQLError('The moon cannot represent a cheese.', { extensions: { code: 'NO_CHEESE' } });
  const throws = () => {
    throw ofTheirs;
  };
  // As other packages word it.
  const moment = new GraphQLScalarType({
    name: 'Moment',
    serialize: (value) => {
      throw new GraphQLError(`Moment cannot represent an invalid date-time-string ${value}.`);
    },
  });
  const query = new GraphQLObjectType({
    name: 'Query',
    fields: {
      moment: { type: moment, resolve: () => 'ada@example.com' },
      number: { type: GraphQLInt, resolve: () => 3_000_000_000 },
      // As after a new label in Postgres.
      status: { type: status, resolve: () => 'ARCHIVED' },
      moon: { type: GraphQLString, resolve: throws },
    },
  });
  const { ask, said } = await serve(t, new GraphQLSchema({ query }));
  for (const name of ['number', 'status', 'moment']) {
    for (let i = 0; i < TIMES; i += 1) {
      said.length = 0;
      const answer = await ask(`{ ${name} }`);
      t.match(answer, {
        status: 200,
        data: { [name]: null },
        errors: [{ path: [name], extensions: { code: 'INTERNAL_SERVER_ERROR', errorId: String } }],
      });
      t.notMatch(JSON.stringify(answer), /3000000000|ARCHIVED|ada@|represent/);
      t.equal(said.length, 1);
      t.match(said[0], /(Int|Status|Moment).*cannot represent/);
      t.notMatch(said[0], /3000000000|ARCHIVED|ada@/, 'nor is the value logged');
    }
  }
  said.length = 0;
  const { message } = ofTheirs;
  t.match(await ask('{ moon }'), { errors: [{ message, extensions: { code: 'NO_CHEESE' } }] });
  t.same(said, [], 'what a resolver throws for the client stays so');
});
