import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Test, t } from 'tap';
import { REPOSITORY } from '../src/cli/services/state-directory.ts';
import { applyDiff, type Block, blocks, section, typedLines } from './docs/document.ts';
import { copyRepository } from './support/copy-repository.ts';
import { globalId, makeData } from './support/data.ts';
import { portForLater } from './support/port.ts';
import { openSql, startServer } from './support/server.ts';
import { freshDatabase, freshRedis } from './support/services.ts';
import { until } from './support/until.ts';

/** The file that a step names; a star stands for what only a generated file's name tells. */
function findFile(directory: string, file: string): string {
  if (!file.includes('*')) return join(directory, file);
  const [start = '', end = ''] = basename(file).split('*');
  const folder = join(directory, dirname(file));
  const names = readdirSync(folder).filter((name) => name.startsWith(start) && name.endsWith(end));
  if (names.length !== 1) throw new Error(`Expected one ${file}, found ${names.join(', ') || 'none'}.`);
  return join(folder, names[0] as string);
}

/** Does what a step says by hand. */
function follow(directory: string, { place, text, language }: Block): void {
  if (place === null) throw new Error(`It is not said where this belongs:\n${text}`);
  const file = findFile(directory, place.file);
  if (place.how === 'In a new file') {
    if (existsSync(file)) throw new Error(`${place.file} is not new.`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } else if (language === 'diff') writeFileSync(file, applyDiff(readFileSync(file, 'utf8'), text));
  else appendFileSync(file, `\n${text}`);
}

/** tap tells each Node that a test starts how to load TypeScript, which a reader's has not been told. */
const UNTOLD = ['-u', 'NODE_OPTIONS'];

/** A reader's environment, with settings. */
function environment(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, ...settings };
}

function run(t: Test, directory: string, command: string, settings: Readonly<Record<string, string>> = {}): void {
  const { status, stdout, stderr } = spawnSync('env', [...UNTOLD, 'bash', '-c', command], {
    cwd: directory,
    env: environment(settings),
    encoding: 'utf8',
  });
  t.equal(status, 0, `${command}${status === 0 ? '' : `\n${stdout}${stderr}`}`);
}

/** Starts the built server as docs/operations.md says, and asks it as a client does. */
async function startBuilt(t: Test, directory: string, settings: Readonly<Record<string, string>>) {
  const port = await portForLater();
  const env = environment({ ...settings, NODE_ENV: 'production', PORT: String(port), METRICS_PORT: '0' });
  const npm = spawn('env', [...UNTOLD, 'npm', 'start'], { cwd: directory, env, detached: true, stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => npm.once('exit', resolve));
  t.teardown(() => {
    try {
      process.kill(-(npm.pid ?? 0), 'SIGKILL');
    } catch (error) {
      // Nothing is left of it, as it should be.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  });
  const url = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until('the server is ready', isReady, 120);
  const ask = async (query: string) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-inspect': '1' },
      body: JSON.stringify({ query }),
    });
    return (await response.json()) as { data?: Record<string, unknown> | null; extensions: Record<string, unknown> };
  };
  const stop = () => {
    npm.kill('SIGTERM');
    return ended;
  };
  return { ask, stop };
}

/** How many venues were read from Postgres. */
function misses(extensions: unknown): number | undefined {
  return (extensions as { dataFetching?: { cache: { Venue?: { misses: number } } } }).dataFetching?.cache.Venue?.misses;
}

t.test('the steps of docs/campaigns.md add an entity, and those of docs/operations.md run it', async (t) => {
  const directory = copyRepository(t);
  const steps = blocks(section('docs/campaigns.md', 'Add an entity'));
  const query = steps.pop();
  t.equal(query?.language, 'graphql');
  // Whoever has followed the steps in this clone, as they are invited to, finds them done.
  const done = existsSync(join(directory, 'src/app/venue/entity.ts'));
  let lines = 0;
  for (const step of steps) {
    if (step.language !== 'sh') {
      if (!done) follow(directory, step);
      lines += typedLines(step);
    } else if (!done) {
      for (const command of step.text.match(/^npm .*/gm) ?? []) run(t, directory, command);
    }
  }
  t.ok(lines > 20 && lines <= 30, `at most 30 lines by hand: ${lines}`);
  const written = steps.flatMap(({ place }) => (place?.file.endsWith('.ts') ? [place.file] : []));
  run(t, directory, `npx biome check --error-on-warnings ${[...new Set(written)].join(' ')}`);
  run(t, directory, 'npm run db:generate | grep "No schema changes"');

  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const settings = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    INSPECT: 'header',
    LOG_LEVEL: 'warn',
    MAX_EVENT_LOOP_DELAY_MS: '0',
  };
  const [build, start] = blocks(section('docs/operations.md', 'Build and start')).filter(
    ({ language }) => language === 'sh',
  );
  t.match(build?.text, /^npm ci\nnpm run build\nnpm ci --omit=dev\n$/);
  run(t, directory, 'npm run build');
  t.match(start?.text, /^node dist\/cli\/migrate.js\nnpm start\n$/);
  run(t, directory, 'node dist/cli/migrate.js', settings);
  const sql = openSql(t, database);
  await sql`insert into venues (name) values ('Apollo Rooms'), ('Tabernacle')`;

  const server = await startBuilt(t, directory, settings);
  const expected = {
    venues: { totalCount: 2, nodes: [{ id: globalId('Venue', 1), name: 'Apollo Rooms' }, { name: 'Tabernacle' }] },
    node: { name: 'Apollo Rooms' },
  };
  const cold = await server.ask(query?.text ?? '');
  t.match(cold.data, expected);
  t.ok((misses(cold.extensions) ?? 0) >= 2, 'the figures are there');
  await until('the cache answers, once the outbox has told of the new rows', async () => {
    return misses((await server.ask(query?.text ?? '')).extensions) === 0;
  });
  t.match((await server.ask(query?.text ?? '')).data, expected, 'and answers the same');
  await sql`update venues set name = 'Steinway Hall' where id = 1`;
  const changed = await server.ask('{ venues(first: 1) { nodes { name } } }');
  t.match(changed.data, { venues: { nodes: [{ name: 'Steinway Hall' }] } }, 'a list is fresh at once');
  await until('the outbox has told of the change', async () => {
    const { data } = await server.ask(`{ node(id: "${globalId('Venue', 1)}") { ... on Venue { name } } }`);
    const node = data?.node as { name: string } | null | undefined;
    return node?.name === 'Steinway Hall';
  });
  t.equal(await server.stop(), 0, 'SIGTERM ends npm and the server in order');
  for (const { text } of blocks(section('docs/operations.md', 'After a restore'))) run(t, directory, text, settings);
});

t.test('the settings are those of .env.example, with the same defaults', async (t) => {
  const example = readFileSync(join(REPOSITORY, '.env.example'), 'utf8');
  const names = [...example.matchAll(/^(?:# )?([A-Z][A-Z_]+)=/gm)].map(([, name]) => name);
  const rows = [...section('docs/operations.md', 'Settings').matchAll(/^\| (`[A-Z_`, ]+`) *\| ([^|]*) \|/gm)];
  const documented = rows.flatMap(([, cell = '', defaults = '']) => {
    const listed = [...cell.matchAll(/[A-Z_]+/g)].map(([name]) => name);
    const values = defaults.trim().split(', ');
    return listed.map((name, i) => [name, values[i] ?? values[0] ?? ''] as const);
  });
  t.strictSame(documented.map(([name]) => name).toSorted(), names.toSorted(), 'the table has every variable');
  for (const [name, value] of documented) {
    const set = new RegExp(`^# ${name}=(.*)$`, 'm').exec(example)?.[1] ?? '';
    const [plain = ''] = value.split(/[;:]/);
    if (set !== '' && plain !== 'none') t.equal(plain, set, name);
  }
});

t.test('the figures that it shows are on a response', async (t) => {
  const json = blocks(section('docs/observability.md', 'On a response')).find(({ language }) => language === 'json');
  const server = await startServer(t);
  await makeData(server.sql, { brands: 1, campaigns: 5, events: 100, perCampaign: 2 });
  const curl = blocks(section('docs/observability.md', 'On a response')).find(({ language }) => language === 'sh');
  const body = /'(\{"query".*\})'/.exec(curl?.text ?? '')?.[1] ?? '';
  const { query } = JSON.parse(body) as { query: string };
  let figures: { sql: { statements: number } } | undefined;
  await until('the cache is warm, once the outbox has told of the new rows', async () => {
    const { extensions } = await server.query(query, {}, { 'x-inspect': '1' });
    figures = extensions?.dataFetching as typeof figures;
    return figures?.sql.statements === 2;
  });
  const sample = JSON.parse(json?.text ?? '', (key, value) => (key === 'ms' ? Number : value));
  t.match({ dataFetching: figures }, sample);
});
