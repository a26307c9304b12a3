// src/tables.ts
import { date, integer, jsonb, numeric, pgEnum, pgSchema, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';

/** The tables as they are: Larder reads what Drizzle says of them, and never makes or alters them. */
export const kind = pgEnum('kind', ['painting', 'print', 'sculpture', 'relief', 'installation', 'unique', 'other']);

export const artists = pgTable('artists', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull(),
  born: date('born', { mode: 'string' }),
  birthplace: text('birthplace'),
});

export const artworks = pgTable('artworks', {
  id: integer('id').primaryKey(),
  artistId: uuid('artist_id').notNull(),
  title: text('title').notNull(),
  madeYear: integer('made_year'),
  heightMm: numeric('height_mm', { precision: 8, scale: 2 }),
  tags: text('tags').array().notNull(),
  dimensions: jsonb('dimensions').$type<Dimensions>().notNull(),
  kind: kind('kind').notNull(),
});

/** What was measured of an artwork, in millimetres, and how that is written on its label. */
export interface Dimensions {
  readonly width: string | null;
  readonly height: string | null;
  readonly depth: string | null;
  readonly dimensions: string | null;
}

export const subjects = pgSchema('thesaurus').table('subjects', {
  slug: text('slug').primaryKey(),
  title: text('title').notNull(),
});

export const subjectArtworks = pgTable(
  'subject_artworks',
  {
    subjectSlug: text('subject_slug').notNull(),
    artworkId: integer('artwork_id').notNull(),
    position: integer('position').notNull(),
  },
  (t) => [primaryKey({ columns: [t.subjectSlug, t.artworkId] })],
);
