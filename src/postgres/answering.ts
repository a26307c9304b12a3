import type { Database } from './client.ts';

/**
 * Asks Postgres in several ways at once. Slow statements may keep all connections of one of them busy.
 *
 * @param databases the ways to one Postgres
 * @returns whether it answers one of them within a second; as soon as that is known
 */
export async function isAnswering(databases: readonly Pick<Database, 'ping'>[]): Promise<boolean> {
  const answers = databases.map((database) => database.ping());
  return (await Promise.race(answers)) || (await Promise.all(answers)).includes(true);
}
