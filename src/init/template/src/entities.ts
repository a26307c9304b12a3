import { entity } from 'larder';
import { authors, books } from './tables.ts';

export const entities = {
  Author: entity(authors),
  Book: entity(books, {
    lists: { byAuthor: { parent: books.authorId, orders: { PUBLISHED: books.published, ID: null } } },
  }),
};
