import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import type { Test } from 'tap';
import { connect } from '../support/connect.ts';
import { freshDatabase } from '../support/services.ts';

/**
 * @param t the test that it is for
 * @returns a database without anything in it, and a connection to it
 */
export async function emptyDatabase(t: Test): Promise<{ url: string; sql: Sql }> {
  const { url } = await freshDatabase(t);
  const sql = connect(t, url);
  await sql`drop schema public cascade`;
  await sql`drop schema if exists drizzle cascade`;
  await sql`create schema public`;
  return { url, sql };
}

/**
 * Writes migrations as drizzle-kit does.
 *
 * @param folder where to
 * @param migrations their names, times and statements
 * @returns the folder
 */
export function writeMigrations(
  folder: string,
  migrations: readonly { name: string; when: number; sql: string }[],
): string {
  mkdirSync(join(folder, 'meta'), { recursive: true });
  const entries = migrations.map(({ name, when }, idx) => ({ idx, version: '7', when, tag: name, breakpoints: true }));
  writeFileSync(
    join(folder, 'meta', '_journal.json'),
    JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
  );
  for (const { name, sql } of migrations) writeFileSync(join(folder, `${name}.sql`), sql);
  return folder;
}

/** What is said where there is nothing to do. */
export const NOTHING = 'The database is up to date: nothing to migrate.';

/** A migration. */
export const FIRST = { name: '0000_first', when: 1000, sql: 'create table first (id int);' };
