// src/entities.ts
import { entity } from 'larder';
import { artists, artworks, subjectArtworks, subjects } from './tables.ts';

const byYear = { asc: artworks.madeYear, nulls: 'last' } as const;

export const entities = {
  Artist: entity(artists, {
    by: { name: artists.name },
    lists: { byName: { orders: { NAME: artists.name } } },
  }),
  Artwork: entity(artworks, {
    lists: {
      all: { filters: { search: { search: artworks.title, config: 'english' } } },
      byArtist: {
        parent: artworks.artistId,
        orders: {
          ID: null,
          MADE_YEAR: byYear,
          TITLE: artworks.title,
          TALLEST: { desc: artworks.heightMm, nulls: 'last' },
        },
        filters: { kind: { eq: artworks.kind }, tags: { contains: artworks.tags } },
      },
      bySubject: {
        from: subjectArtworks,
        parent: subjectArtworks.subjectSlug,
        id: subjectArtworks.artworkId,
        orders: { POSITION: subjectArtworks.position },
      },
    },
  }),
  Subject: entity(subjects, {
    lists: {
      ofArtwork: { from: subjectArtworks, parent: subjectArtworks.artworkId, id: subjectArtworks.subjectSlug },
    },
  }),
};
