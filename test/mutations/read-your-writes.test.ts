import { t } from 'tap';
import { openServer, startServer } from '../support/server.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';

const brand = Buffer.from('Brand:1').toString('base64');
const ROUNDS = 150;

interface Seen {
  readonly brand: { readonly name: string };
  readonly node: { readonly name: string };
  readonly nodes: readonly { readonly name: string }[];
  readonly brands: { readonly nodes: readonly { readonly name: string }[] };
  readonly campaign: { readonly brand: { readonly name: string } };
}

const READ = `{
  brand(id: "${brand}") { name }
  node(id: "${brand}") { ... on Brand { name } }
  nodes(ids: ["${brand}"]) { ... on Brand { name } }
  brands(first: 1) { nodes { name } }
  campaign(id: "${Buffer.from('Campaign:1').toString('base64')}") { brand { name } }
}`;

t.test(
  'a query that is sent after the answer of a mutation sees it, on every server, by id and through lists',
  async (t) => {
    const one = await startServer(t, { env: { JWT_SECRET } });
    const other = await openServer(t, { database: one.database, redis: one.redis, env: { JWT_SECRET } });
    await one.sql`insert into brands (name) values ('start')`;
    await one.sql`insert into campaigns (brand_id, title) values (1, 'of it')`;
    const servers = [one, other];
    let readers = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = `name ${round}`;
      const [writer, reader] = round % 2 === 0 ? [one, other] : [other, one];
      // Readers that began before the write fill memories and Redis while it happens.
      const meanwhile = servers.flatMap((server) => [server.ask(READ), server.ask(READ)]);
      const written = await writer.query(
        `mutation { updateBrand(input: { id: "${brand}", name: "${name}" }) { brand { name } } }`,
        {},
        bearer(),
      );
      t.same(written.data, { updateBrand: { brand: { name } } });
      for (const server of [reader, writer]) {
        const seen = await server.ask<Seen>(READ);
        const names = [seen.brand, seen.node, ...seen.nodes, ...seen.brands.nodes, seen.campaign.brand].map(
          (it) => it.name,
        );
        readers += names.filter((it) => it === name).length;
        if (names.some((it) => it !== name)) t.same(names, Array(5).fill(name), `round ${round}`);
      }
      await Promise.all(meanwhile);
    }
    t.equal(readers, ROUNDS * 2 * 5);
  },
);

t.test('what is created is seen at once where it was known not to exist', async (t) => {
  const one = await startServer(t, { env: { JWT_SECRET } });
  const other = await openServer(t, { database: one.database, redis: one.redis, env: { JWT_SECRET } });
  for (const server of [one, other]) {
    t.same(await server.ask(`{ brand(id: "${brand}") { name } }`), { brand: null });
  }
  await one.query('mutation { createBrand(input: { name: "new" }) { brand { id } } }', {}, bearer());
  for (const server of [one, other]) {
    t.same(await server.ask(`{ brand(id: "${brand}") { name } }`), { brand: { name: 'new' } });
  }
  await other.query(`mutation { deleteBrand(input: { id: "${brand}" }) { deletedId } }`, {}, bearer());
  for (const server of [one, other]) {
    t.same(await server.ask(`{ brand(id: "${brand}") { name } }`), { brand: null });
  }
});
