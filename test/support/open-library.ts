import type { Test } from 'tap';
import { createLarder } from '../../src/larder.ts';
import type { Larder } from '../../src/larder-face.ts';
import { columnsKnown } from './columns-known.ts';
import { entities, type LibrarySize, makeLibrary, type Repositories } from './library.ts';
import { freshDatabase } from './services.ts';
import { openSql } from './stores.ts';

/**
 * Makes a library in a database of its own, and a Larder on it, without Redis. Both go with the test.
 *
 * @param t the test
 * @param size how much there is
 * @returns the Larder
 */
export async function openLibrary(t: Test, size: LibrarySize): Promise<Larder<Repositories>> {
  const database = await freshDatabase(t);
  await makeLibrary(openSql(t, database), size);
  const larder = await createLarder({ entities, postgres: { url: database.url } });
  t.teardown(() => larder.close());
  await columnsKnown(larder);
  return larder;
}
