import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { findOrInstallChromium } from '../../src/cli/services/chromium.ts';
import { type PostgresService, startPostgres } from '../../src/cli/services/postgres.ts';
import { findOrInstallRedis } from '../../src/cli/services/redis-binary.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { migrateDatabase } from '../support/migrate-database.ts';
import { run } from './command.ts';

const TEMPLATE = 'larder_template';

/** Quick and forgetful: the data of tests need not survive a crash. */
const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track': 'top',
};

/**
 * Starts a Postgres for the tests in a new temporary directory, with a migrated template database and with
 * pg_stat_statements in the database `postgres`.
 *
 * @returns the service; stopping it removes its data
 * @throws when it does not start or the migrations fail
 */
export async function startTestPostgres(): Promise<PostgresService> {
  const service = await startPostgres({
    dataDir: mkdtempSync(join(tmpdir(), 'larder-test-')),
    settings: SETTINGS,
    persistent: false,
  });
  try {
    await service.createDatabase(TEMPLATE);
    await migrateDatabase(service.url(TEMPLATE));
    const admin = postgres(service.adminUrl, { max: 1, onnotice: () => {} });
    try {
      await admin`create extension pg_stat_statements`;
      // Whoever is connected to a template keeps all others from copying it.
      await admin`alter database ${admin(TEMPLATE)} with allow_connections false`;
    } finally {
      await admin.end({ timeout: 5 });
    }
    return service;
  } catch (error) {
    await service.stop();
    throw error;
  }
}

/**
 * The environment of the tests: ours without the settings of any Larder, so that a test never finds a database or a Redis
 * that the run did not start, and with the addresses of the services.
 *
 * @param service the Postgres of the run
 * @param chromium the browser, `null` when no browser test runs
 * @returns the variables
 */
export function testEnvironment(service: PostgresService, chromium: string | null): NodeJS.ProcessEnv {
  const example = readFileSync(join(REPOSITORY, '.env.example'), 'utf8');
  const settings = new Set([...example.matchAll(/^#? ?([A-Z][A-Z_]*)=/gm)].map(([, name]) => name));
  // libpq's variables (PGHOST, …) are defaults of postgres.js, too.
  const kept = Object.entries(process.env).filter(([name]) => !settings.has(name) && !/^(PG|TAP)/.test(name));
  return {
    ...Object.fromEntries(kept),
    NODE_ENV: 'test',
    LARDER_TEST_POSTGRES_URL: service.adminUrl,
    LARDER_TEST_TEMPLATE: TEMPLATE,
    ...(chromium === null ? {} : { CHROMIUM_PATH: chromium }),
  };
}

/**
 * Finds or installs the programs that tests start themselves.
 *
 * @param browser whether a browser is among them
 * @returns the browser, or `null`
 * @throws when one is missing and cannot be installed, with what to do
 */
export async function findTestPrograms(browser: boolean): Promise<string | null> {
  if ((await findOrInstallRedis()) === null) throw new Error('The tests need a redis-server: see above.');
  return browser ? findOrInstallChromium() : null;
}

/**
 * Builds tap without its TypeScript plugin, which does not know this TypeScript, unless that has been done. tap would do so
 * itself, but too late for the files of the same run.
 *
 * @throws when the build fails, with what it printed
 */
export async function buildTap(): Promise<void> {
  const script = "import('tap').then(({ t }) => process.exitCode = t.pluginSignature.includes('typescript') ? 1 : 0)";
  const probe = spawnSync(process.execPath, ['-e', script], { cwd: REPOSITORY, env: { ...process.env, TAP: '1' } });
  if (probe.status === 0) return;
  const { code, said } = await run('tap', ['build']);
  if (code !== 0) throw new Error(`\`tap build\` failed:\n${said.trim()}`);
}
