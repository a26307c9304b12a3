// src/schema.ts
import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import type { LarderContext, RepositoriesOf } from 'larder';
import LarderPlugin from 'larder/pothos';
import type { entities } from './entities.ts';
import { type Dimensions, kind } from './tables.ts';

const builder = new SchemaBuilder<{
  Context: LarderContext<RepositoriesOf<typeof entities>>;
  Objects: { Dimensions: Dimensions };
}>({
  plugins: [RelayPlugin, DataloaderPlugin, LarderPlugin],
});

const Kind = builder.enumType('Kind', { values: kind.enumValues });
const ArtworkOrder = builder.enumType('ArtworkOrder', { values: ['ID', 'MADE_YEAR', 'TITLE', 'TALLEST'] as const });

builder.objectType('Dimensions', {
  description: 'What was measured, in millimetres.',
  fields: (t) => ({
    width: t.exposeString('width', { nullable: true }),
    height: t.exposeString('height', { nullable: true }),
    depth: t.exposeString('depth', { nullable: true }),
    label: t.exposeString('dimensions', { nullable: true }),
  }),
});

builder.entity('Artist', {
  fields: (t) => ({
    name: t.exposeString('name'),
    born: t.exposeString('born', { nullable: true }),
    birthplace: t.exposeString('birthplace', { nullable: true }),
    artworks: t.entityConnection('Artwork', {
      args: { orderBy: t.arg({ type: ArtworkOrder }), kind: t.arg({ type: Kind }), tag: t.arg.string() },
      source: ({ databaseId }, { orderBy, kind, tag }) => ({
        list: 'byArtist',
        parent: databaseId,
        order: orderBy ?? 'ID',
        filters: { kind, tags: tag == null ? null : [tag] },
      }),
    }),
  }),
});

builder.entity('Artwork', {
  fields: (t) => ({
    title: t.exposeString('title'),
    madeYear: t.exposeInt('madeYear', { nullable: true }),
    heightMm: t.exposeString('heightMm', { nullable: true }),
    tags: t.exposeStringList('tags'),
    dimensions: t.expose('dimensions', { type: 'Dimensions' }),
    kind: t.expose('kind', { type: Kind }),
    artist: t.entityReference('Artist', { id: 'artistId' }),
    subjects: t.entityConnection('Subject', { list: 'ofArtwork' }),
  }),
});

builder.entity('Subject', {
  fields: (t) => ({
    slug: t.exposeString('slug'),
    title: t.exposeString('title'),
    artworks: t.entityConnection('Artwork', { list: 'bySubject' }),
  }),
});

builder.queryType({
  fields: (t) => ({
    artists: t.entityConnection('Artist', { list: 'byName' }),
    artist: t.entityBy('Artist', 'name'),
    artworks: t.entityConnection('Artwork', {
      args: { search: t.arg.string() },
      source: (_root, { search }) => ({ list: 'all', order: 'ID', filters: { search } }),
    }),
    subjects: t.entityConnection('Subject'),
  }),
});

export const schema = builder.toSchema();
