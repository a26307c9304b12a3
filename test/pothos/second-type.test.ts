import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { graphql } from 'graphql';
import { t } from 'tap';
import { entities, type Repositories } from '../../src/app/entities.ts';
import { createLarder } from '../../src/larder.ts';
import LarderPlugin, { type LarderContext } from '../../src/pothos/index.ts';
import { globalId, makeData } from '../support/data.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase } from '../support/services.ts';

/** Campaigns and brands, each as a type of its own name and as a second one. */
function buildSchema() {
  const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({
    plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
    relay: { cursorType: 'String' },
  });
  builder.queryType({
    fields: (t) => ({
      campaign: t.entityById('Campaign'),
      sale: t.entityById('Campaign', { type: 'Sale' }),
      campaigns: t.entityConnection('Campaign'),
      sales: t.entityConnection('Campaign', { type: 'Sale' }),
    }),
  });
  builder.entity('Brand', { fields: (t) => ({ name: t.exposeString('name') }) });
  builder.entity('Brand', {
    name: 'Seller',
    fields: (t) => ({
      label: t.exposeString('name'),
      sales: t.entityConnection('Campaign', { type: 'Sale', list: 'ofBrand' }),
    }),
  });
  builder.entity('Campaign', {
    fields: (t) => ({ title: t.exposeString('title'), brand: t.entityReference('Brand', { id: 'brandId' }) }),
  });
  builder.entity('Campaign', {
    name: 'Sale',
    fields: (t) => ({
      headline: t.exposeString('title'),
      seller: t.entityReference('Brand', { type: 'Seller', id: 'brandId' }),
    }),
  });
  return builder.toSchema();
}

t.test('each of two types over one entity is itself', async (t) => {
  const database = await freshDatabase(t);
  await makeData(openSql(t, database), { brands: 2, campaigns: 4, events: 1, perCampaign: 1 });
  const larder = await createLarder({
    entities,
    postgres: { url: database.url },
    cache: { memoryTtlMs: 3_600_000, maxStalenessMs: 7_200_000 },
  });
  t.teardown(larder.close);
  const schema = buildSchema();
  const ask = async (source: string) => {
    const { data, errors } = await graphql({ schema, source, contextValue: larder.createContext() });
    t.equal(errors, undefined, source);
    return JSON.parse(JSON.stringify(data)) as unknown;
  };
  const [asCampaign, asSale] = [globalId('Campaign', 1), globalId('Sale', 1)];
  const campaign = { __typename: 'Campaign', id: asCampaign, title: 'Campaign 1' };
  const sale = { __typename: 'Sale', id: asSale, headline: 'Campaign 1' };

  // The second round finds the entities in memory, with the nodes that the first has made of them.
  for (const round of ['cold', 'warm']) {
    t.same(
      await ask(
        `{ campaign(id: "${asCampaign}") { __typename id title } sale(id: "${asSale}") { __typename id headline } }`,
      ),
      { campaign, sale },
      `by id, ${round}`,
    );
    t.same(
      await ask(`{ nodes(ids: ["${asSale}", "${asCampaign}"]) {
        __typename id ... on Sale { headline } ... on Campaign { title }
      } }`),
      { nodes: [sale, campaign] },
      `by node, ${round}`,
    );
    t.same(
      await ask(`{
        campaigns(first: 1) { nodes { __typename id title } }
        sales(first: 1) { nodes { __typename id headline } edges { node { __typename id headline } } }
      }`),
      { campaigns: { nodes: [campaign] }, sales: { nodes: [sale], edges: [{ node: sale }] } },
      `by connection, ${round}`,
    );
    t.same(
      await ask(`{
        campaign(id: "${asCampaign}") { brand { __typename id name } }
        sale(id: "${asSale}") {
          seller { __typename id label sales(first: 1) { nodes { __typename id headline seller { __typename id } } } }
        }
      }`),
      {
        campaign: { brand: { __typename: 'Brand', id: globalId('Brand', 2), name: 'Brand 2' } },
        sale: {
          seller: {
            ...{ __typename: 'Seller', id: globalId('Seller', 2), label: 'Brand 2' },
            sales: { nodes: [{ ...sale, seller: { __typename: 'Seller', id: globalId('Seller', 2) } }] },
          },
        },
      },
      `by reference, ${round}`,
    );
  }

  t.same(
    await ask(`{ sale(id: "${asCampaign}") { id } campaign(id: "${asSale}") { id } }`),
    { sale: null, campaign: null },
    'the id of the one names nothing of the other',
  );
});
