import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { type Test, t } from 'tap';
import { findFreePort } from '../../src/cli/services/port.ts';
import { startPostgres } from '../../src/cli/services/postgres.ts';
import { commandLine, guardProcess, stopProcess } from '../../src/cli/services/process.ts';
import { startRedis } from '../../src/cli/services/redis.ts';
import { findRedis } from '../../src/cli/services/redis-binary.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { reachableDirectory } from '../support/temporary.ts';

async function one(url: string): Promise<number> {
  const sql = postgres(url, { max: 1 });
  try {
    const [row] = await sql<{ one: number }[]>`select 1 as one`;
    return row?.one ?? 0;
  } finally {
    await sql.end();
  }
}

/** Starts a process that does nothing, as a service would be started. */
async function sleeper(t: Test): Promise<number> {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  t.teardown(() => child.kill('SIGKILL'));
  await new Promise((resolve) => child.once('spawn', resolve));
  if (child.pid === undefined) throw new Error('sleep has no process id');
  return child.pid;
}

t.test('findFreePort', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '0.0.0.0', resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as { port: number };
  const found = await findFreePort('127.0.0.1', port);
  t.not(found, port, 'a port taken on all addresses is taken on each');
  t.not(await findFreePort('127.0.0.1', found, [found]), found, 'a port that is promised is not free');
  t.ok((await findFreePort('127.0.0.1')) > 1023);
});

t.test('stopProcess goes on to the harder signal, and stops what is stopped', async (t) => {
  const pid = await sleeper(t);
  process.kill(pid, 'SIGSTOP');
  await stopProcess(pid, [
    ['SIGWINCH', 50],
    ['SIGTERM', 5000],
  ]);
  t.equal(commandLine(pid), null);
  await stopProcess(pid, [['SIGTERM', 50]]);
  t.pass('and does nothing when it has ended');
});

t.test('a guard ends the service when our process does, and not before', async (t) => {
  const pid = await sleeper(t);
  const guard = guardProcess(pid, null);
  t.type(commandLine(pid), 'string');
  await guard.release();
  t.type(commandLine(pid), 'string', 'released, it leaves the service alone');
});

t.test('startPostgres', async (t) => {
  const dataDir = join(reachableDirectory(t), 'a directory with spaces');
  const busy = createServer();
  await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => busy.close());
  const { port } = busy.address() as { port: number };

  const first = await startPostgres({ dataDir, port, persistent: true });
  t.teardown(() => first.stop());
  t.not(first.port, port, 'another port than the one that is taken');
  await first.createDatabase('kept');
  t.equal(await one(first.url('kept')), 1);
  await t.rejects(one(first.url('kept').replace(/:[0-9a-f]+@/, ':wrong@')), /password/, 'strangers stay outside');
  t.notOk(
    readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).some((file) => file.includes('.s.PGSQL')),
    'no socket',
  );
  await first.stop();
  t.equal(commandLine(first.pid), null);
  t.notOk(existsSync(join(dataDir, 'cluster', 'postmaster.pid')), 'no lock is left');

  const second = await startPostgres({ dataDir, persistent: true });
  t.teardown(() => second.stop());
  t.equal(await one(second.url('kept')), 1, 'the data is still there');

  const third = await startPostgres({ dataDir, persistent: false });
  t.teardown(() => third.stop());
  t.equal(commandLine(second.pid), null, 'a server that was left behind is ended');
  t.equal(await one(third.url('kept')), 1);
  process.kill(third.pid, 'SIGKILL');
  await third.stop();
  t.notOk(existsSync(dataDir), 'what is not persistent is removed');
});

t.test('startPostgres tells why it failed', async (t) => {
  const dataDir = join(reachableDirectory(t), 'pg');
  await t.rejects(startPostgres({ dataDir, settings: { work_mem: 'plenty' }, persistent: false }), {
    message: /did not start[\s\S]*invalid value for parameter "work_mem"/,
  });
});

t.test('startRedis', async (t) => {
  const dir = join(t.testdir(), 'a directory with spaces');
  const first = await startRedis({ dir, args: ['--maxmemory', '8mb'] });
  t.teardown(() => first.stop());
  const client = new Redis(first.url);
  t.same(await client.config('GET', 'maxmemory'), ['maxmemory', '8388608']);
  t.same(await client.config('GET', 'save'), ['save', '']);
  client.disconnect();
  const second = await startRedis({ dir, port: first.port });
  t.teardown(() => second.stop());
  t.equal(commandLine(first.pid), null, 'one that was left behind is ended');
  second.kill('SIGSTOP');
  await second.stop();
  t.equal(commandLine(second.pid), null, 'also when it was stopped');
  t.same(readdirSync(dir), ['redis.log']);
  await t.rejects(startRedis({ dir, args: ['--maxmemory', 'plenty'] }), {
    message: /Redis did not start[\s\S]*plenty/,
  });
});

t.test('the database of a test is migrated, its own, and counted by Postgres', async (t) => {
  const [a, b] = await Promise.all([freshDatabase(t), freshDatabase(t)]);
  const sql = postgres(a.url, { max: 1, fetch_types: false });
  t.teardown(() => sql.end());
  await a.resetStatements();
  await sql`insert into brands (name) select 'x' from generate_series(1, 3)`;
  await sql`select id from brands where id > ${0}`;
  await sql`select id from brands where id > ${1}`;
  t.match(await a.statements(), [
    { query: 'select id from brands where id > $1', calls: 2, rows: 5 },
    { query: /^insert into brands/, calls: 1, rows: 3 },
  ]);
  await a.resetStatements();
  t.same(await a.statements(), []);
  t.same(await b.statements(), []);
  await sql`select 1`;
  t.same(await a.statements(), [], 'that is what a server asks to see whether Postgres answers');
});

t.test('the Redis of a test is counted by Redis', async (t) => {
  const redis = await freshRedis(t);
  const client = new Redis(redis.url, { enableReadyCheck: false });
  t.teardown(() => client.disconnect());
  await client.mget('a', 'b');
  await client.set('a', '1');
  t.same(await redis.commandCounts(), { mget: 1, set: 1 });
  await redis.resetCounts();
  t.same(await redis.commandCounts(), {});
});

t.test('tests without the runner are told of it', async (t) => {
  const url = process.env.LARDER_TEST_POSTGRES_URL;
  t.teardown(() => {
    process.env.LARDER_TEST_POSTGRES_URL = url;
  });
  delete process.env.LARDER_TEST_POSTGRES_URL;
  await t.rejects(freshDatabase(t), { message: /Run `make check`/ });
});

t.test('where there is no redis-server, a Valkey takes its place', (t) => {
  const path = process.env.PATH;
  t.teardown(() => {
    process.env.PATH = path;
  });
  const directory = reachableDirectory(t);
  process.env.PATH = directory;
  t.equal(findRedis(), null);
  const program = (name: string) => {
    const file = join(directory, name);
    writeFileSync(file, '#!/bin/sh\n', { mode: 0o755 });
    return file;
  };
  const valkey = program('valkey-server');
  t.same(findRedis(), { file: valkey, argv0: 'redis-server' });
  const redis = program('redis-server');
  t.same(findRedis(), { file: redis, argv0: 'redis-server' });
  t.end();
});
