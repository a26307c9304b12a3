import { t } from 'tap';
import { startServer } from '../support/server.ts';
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
  }
  t.same([...(await sql`select count(*)::int from brands`)], [{ count: 2 * TIMES }], 'each was written once');
});
