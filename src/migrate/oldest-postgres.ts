import { MigrationError } from './locks.ts';
import type { Sql } from './migrations.ts';

/** The oldest version of Postgres that has all that Larder asks its catalog for, such as multiranges. */
const OLDEST = 14;

/**
 * @param sql asks Postgres
 * @throws {MigrationError} when Postgres is too old for Larder, which would then use no cache
 */
export async function checkPostgresVersion(sql: Sql): Promise<void> {
  const [row] = await sql<[{ number: number; version: string }]>`
    select current_setting('server_version_num')::int as number, current_setting('server_version') as version`;
  if (row.number >= OLDEST * 10_000) return;
  throw new MigrationError(
    `Larder needs Postgres ${OLDEST} or later, and this is ${row.version}. Upgrade Postgres, then migrate again.`,
  );
}
