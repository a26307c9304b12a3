import Fastify from 'fastify';
import { GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { t } from 'tap';
import larderFastify from '../../src/http/index.ts';
import { createLarder, DatabaseUnavailable, type LarderContext } from '../../src/index.ts';
import { entities, makeTables, type Repositories } from '../support/library.ts';
import { startServer } from '../support/server.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';

// From the fourth time on, a document may be executed in another way than before.
const TIMES = 5;

t.test('whoever wrote a part is not told to send all of it again', async (t) => {
  const { sql, query } = await startServer(t, { redis: null, env: { JWT_SECRET } });
  // Postgres is out of memory for one of the brands.
  await sql.unsafe(`
    create function fail() returns trigger language plpgsql as $$ begin
      raise exception using errcode = '53200';
    end $$;
    create trigger fail before insert on brands for each row when (new.name = 'too much') execute function fail();
  `);
  const create = (name: string) => `createBrand(input: { name: "${name}" }) { brand { name } }`;
  const mutate = async (fields: string) => {
    const { status, headers, data, errors } = await query(`mutation { ${fields} }`, {}, bearer());
    return { status, again: headers.get('retry-after'), data, errors };
  };
  const unavailable = (field: string) => [{ path: [field], extensions: { code: 'UNAVAILABLE' } }];
  const little = { brand: { name: 'little' } };
  for (let i = 1; i <= TIMES; i += 1) {
    const first = await mutate(`a: ${create('little')} b: ${create('too much')}`);
    t.match(first, { status: 200, again: null, data: { a: little, b: null }, errors: unavailable('b') });
    const last = await mutate(`a: ${create('too much')} b: ${create('little')}`);
    t.match(last, { status: 200, again: null, data: { a: null, b: little }, errors: unavailable('a') });
    t.match(await mutate(`a: ${create('too much')} b: ${create('too much')}`), {
      status: 503,
      again: '1',
      data: { a: null, b: null },
      errors: [...unavailable('a'), ...unavailable('b')],
    });
    t.match(await mutate(`__typename b: ${create('too much')}`), { status: 503, again: '1' }, 'a name is not written');
  }
  t.same([...(await sql`select count(*)::int from brands`)], [{ count: 2 * TIMES }], 'each was written once');
});

t.test('nor is who wrote, and of whose answer nothing is left', async (t) => {
  const database = await freshDatabase(t);
  await makeTables(openSql(t, database));
  await using larder = await createLarder({ entities, postgres: { url: database.url } });
  const text = new GraphQLNonNull(GraphQLString);
  const away = () => {
    throw new DatabaseUnavailable('Postgres is away.');
  };
  const write = ({ repositories, scope }: LarderContext<Repositories>) =>
    repositories.Library.create({ name: 'written' }, scope);
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { name: { type: text } } }),
    mutation: new GraphQLObjectType<unknown, LarderContext<Repositories>>({
      name: 'Mutation',
      fields: {
        write: { type: text, resolve: async (_root, _args, context) => (await write(context)).name },
        away: { type: text, resolve: away },
        writeThenAway: { type: text, resolve: async (_root, _args, context) => write(context).then(away) },
      },
    }),
  });
  const app = Fastify();
  t.teardown(() => app.close());
  const auth = async () => ({ subject: null, scopes: new Set(['write']) });
  await app.register(larderFastify, { larder, schema, auth, limits: { maxEventLoopDelayMs: 0 } });
  const ask = (query: string) => app.inject({ method: 'POST', url: '/graphql', payload: { query } });
  const errors = [{ extensions: { code: 'UNAVAILABLE' } }];
  for (const fields of ['write away', 'writeThenAway']) {
    const answer = await ask(`mutation { ${fields} }`);
    t.match({ status: answer.statusCode, ...answer.json() }, { status: 200, data: null, errors }, fields);
    t.notOk(answer.headers['retry-after']);
  }
  t.match(await ask('mutation { away }'), { statusCode: 503, headers: { 'retry-after': '1' } });
});
