import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { migrate } from '../../src/migrate/index.ts';

/** The campaigns' tables, which are not where Larder is without them. */
const CAMPAIGNS = fileURLToPath(new URL('../../drizzle', import.meta.url));

/**
 * Brings a database up to date: Larder's outbox, and the tables of the campaigns where there are any.
 *
 * @param url the address of the database
 */
export function migrateDatabase(url: string): Promise<void> {
  return migrate({ postgres: { url }, ...(existsSync(CAMPAIGNS) ? { migrations: CAMPAIGNS } : {}) });
}
