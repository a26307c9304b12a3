import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { findOrInstall } from '../../src/cli/services/install.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { comeAgain } from '../support/come-again.ts';
import { portForLater } from '../support/port.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { counted, openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const EXAMPLE = join(REPOSITORY, 'examples', 'museum');

/** All of Tate's collection, which lies beside the repository where there is one. */
const REAL_DATA = fileURLToPath(new URL('../../../shared/data/museum', import.meta.url));

/** The blocks of a section of the page, in order. */
function blocks(title: string): { readonly language: string; readonly text: string }[] {
  const page = readFileSync(join(REPOSITORY, 'docs', 'your-tables.md'), 'utf8');
  const section = page.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
  return [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
}

/** The file that a block says it is, in its first line. */
function fileOf(text: string): string {
  return /^(?:--|\/\/) (\S+)\n/.exec(text)?.[1] ?? '';
}

/** What a shell does that follows the page word for word, but for where packages come from, the port, and patience. */
function script(t: Test): string {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(EXAMPLE, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  const installed: string[] = [];
  const steps = blocks('A museum, from an empty folder').map(({ language, text }) => {
    if (language !== 'sh') {
      const file = fileOf(text);
      t.equal(text, readFileSync(join(EXAMPLE, file), 'utf8'), `${file} is the example's`);
      return `cat > ${file} <<'END OF FILE'\n${text}END OF FILE\n`;
    }
    return (
      text
        .replaceAll(/^npm install (.+)$/gm, (_line, packages: string) => {
          installed.push(
            ...packages
              .replaceAll('--save-dev', '')
              .trim()
              .split(/ +/)
              .map((name) => name.replace(/(?<=.)@\d+$/, '')),
          );
          return 'mkdir -p node_modules/larder && tar -xzf "$TARBALL" --strip-components=1 -C node_modules/larder';
        })
        // On a busy machine, the server may ask to come again.
        .replaceAll(/^curl -s /gm, 'curl -s --retry 60 --retry-delay 1 ')
        .replaceAll(':3000', ':$PORT')
    );
  });
  t.same(
    installed.sort(),
    Object.keys({ ...dependencies, ...devDependencies }).sort(),
    'all packages are named, and no others',
  );
  return `set -euo pipefail\n${steps.join('\n')}`;
}

/**
 * Follows docs/your-tables.md from an empty folder to the running museum, on the packed package, and asks what it is for.
 *
 * @param t the test
 * @param tarball the packed package
 */
export async function museum(t: Test, tarball: string): Promise<void> {
  const [database, redis, port] = await Promise.all([freshDatabase(t), freshRedis(t), portForLater()]);
  const sql = openSql(t, database);
  await sql`drop schema public, drizzle cascade`;
  await sql`create schema public`;
  await sql`grant usage on schema public to public`;
  const psql = await findOrInstall('psql', 'postgresql-client');
  // Packages other than Larder are found in the repository, in which the folder lies.
  const directory = t.testdir({});
  const { PATH = '', HOME = '' } = process.env;
  const env = {
    PATH: `${PATH}:${join(psql, '..')}`,
    HOME,
    TARBALL: tarball,
    LARDER: REPOSITORY,
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    PORT: String(port),
  };
  const log = join(directory, 'log');
  const run = async (what: string, cwd = join(directory, 'museum'), more: NodeJS.ProcessEnv = {}) => {
    const output = openSync(log, 'a');
    // tap tells each Node that a test starts how to load TypeScript, which a user's has not been told.
    const child = spawn('env', ['-u', 'NODE_OPTIONS', 'bash', '-c', what], {
      cwd,
      env: { ...env, ...more },
      detached: true,
      stdio: ['ignore', output, output],
    });
    t.teardown(() => {
      // With the server that it has left running.
      try {
        process.kill(-(child.pid as number), 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    });
    const [code] = await once(child, 'exit');
    t.equal(code, 0, readFileSync(log, 'utf8').slice(-4000));
  };
  await run(script(t), directory);
  t.match(
    readFileSync(log, 'utf8'),
    /"artist":\{"born":"1775-01-01","artworks":\{"nodes":\[\{"title":".+","madeYear":\d+,"artist":\{"name":"Turner, Joseph Mallord William"\}\}/,
  );

  const stores = { database, redis };
  const post = (query: string, to = port) =>
    comeAgain(() =>
      fetch(`http://127.0.0.1:${to}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      }),
    );
  const ask = async (query: string, to = port) => {
    const response = await post(query, to);
    const { data, errors } = (await response.json()) as { data: Record<string, unknown>; errors?: unknown };
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  };
  /** The figures of a query that caches can answer but for its lists. */
  const warm = async (query: string) => {
    const answer = await ask(query);
    let last = await counted(stores, () => ask(query));
    await until('caches have all bodies', async () => {
      last = await counted(stores, () => ask(query));
      return last.sql <= 2;
    });
    t.same(last.answer, answer);
    return last;
  };

  await t.test('two statements for each nested page', async (t) => {
    for (const [first, query] of [
      [
        'artists',
        `{ artists(first: 8) { nodes { name artworks(first: 5, orderBy: MADE_YEAR, kind: print) { nodes { title madeYear } } } } }`,
      ],
      [
        'artists',
        `{ artists(first: 8) { nodes { id artworks(first: 5, orderBy: MADE_YEAR, tag: "landscape") { nodes { title tags } } } } }`,
      ],
      [
        'artist',
        `{ artist(name: "Turner, Joseph Mallord William") { born artworks(last: 5, orderBy: TALLEST) { nodes { title heightMm kind } } } }`,
      ],
      [
        'subjects',
        `{ subjects(first: 10) { nodes { title artworks(first: 5) { edges { cursor node { title artist { name } } } } } } }`,
      ],
      [
        'artworks',
        `{ artworks(first: 5, search: "castle") { nodes { title subjects(first: 3) { nodes { slug } } } } }`,
      ],
    ] as const) {
      const { sql, statements, answer } = await warm(query);
      t.equal(sql, 2, `${query}: ${JSON.stringify(statements)}`);
      t.ok(answer[first]);
    }
    const one = await warm(`{ artist(name: "Nobody") { name } }`);
    t.equal(one.sql, 1);
    t.same(one.answer, { artist: null });
  });

  await t.test('node for all', async (t) => {
    const node = (typename: string, id: string, field: string) =>
      `{ node(id: "${Buffer.from(`${typename}:${id}`).toString('base64')}") { ... on ${typename} { ${field} } } }`;
    for (const [typename, id, field, value] of [
      ['Artist', '3ba7ed82-f18d-4da7-883d-d65c6b51fac8', 'name', 'Turner, Joseph Mallord William'],
      ['Subject', 'Bible: New Testament', 'title', 'Bible: New Testament'],
      ['Subject', 'townscapes, man-made features', 'title', 'Townscapes, man-made features'],
      ['Artwork', (await sql`select id::text as id from artworks order by id limit 1`)[0]?.id as string, 'kind', null],
    ] as const) {
      const query = node(typename, id, field);
      await until('a cache answers', async () => (await counted(stores, () => ask(query))).sql === 0);
      const { node: found } = (await ask(query)) as { node: Record<string, unknown> };
      t.equal(found[field], value ?? found[field]);
    }
    for (const id of ['3BA7ED82-f18d-4da7-883d-d65c6b51fac8', 'x', '']) {
      const strange = await counted(stores, () => ask(node('Artist', id, 'name')));
      t.same({ sql: strange.sql, answer: strange.answer }, { sql: 0, answer: { node: null } }, `a stranger's ${id}`);
    }
    const slug = node('Subject', 'landscape', 'title');
    await ask(slug);
    await sql`update thesaurus.subjects set title = 'Seen' where slug = 'landscape'`;
    await until('psql is heard', async () => JSON.stringify(await ask(slug)).includes('Seen'));
  });

  await t.test('a server that only reads, with the rights that the page lists', async (t) => {
    const rights = blocks('Reads only').find(({ language }) => language === 'sql')?.text ?? '';
    await sql.unsafe(rights);
    t.teardown(async () => {
      await sql.unsafe('drop owned by museum_reader; drop role museum_reader');
    });
    const url = new URL(database.url);
    url.username = 'museum_reader';
    url.password = 'secret';
    const place = await portForLater();
    await run(
      `npx tsx src/server.ts & until curl -sf localhost:${place}/healthz; do sleep 0.2; done`,
      join(directory, 'museum'),
      { DATABASE_URL: url.href, PORT: String(place) },
    );
    const readiness = async () => (await fetch(`http://127.0.0.1:${place}/readyz`)).text();
    await until('it is ready', async () => (await readiness()).includes('"ready"'));
    const subject = `{ node(id: "${Buffer.from('Subject:adults').toString('base64')}") { ... on Subject { title artworks(first: 2) { nodes { title } } } } }`;
    t.same(await ask(subject, place), await ask(subject), 'it answers what the other one answers');
    await sql`update thesaurus.subjects set title = 'Grown-ups' where slug = 'adults'`;
    await until('psql is heard', async () => JSON.stringify(await ask(subject, place)).includes('Grown-ups'));
    await until('it is ready still', async () => (await readiness()).includes('"ready"'));
    const { errors } = (await (await post('mutation { createArtist { id } }', place)).json()) as {
      errors: { message: string }[];
    };
    t.match(errors[0]?.message, /not configured to execute mutation|mutation/i);
  });

  await t.test('every list, walked forward and backward', async (t) => {
    const real = existsSync(REAL_DATA);
    if (real) {
      const copy = (table: string, file: string) =>
        `-c "\\copy ${table} FROM '${join(REAL_DATA, `${file}.csv`)}' CSV HEADER"`;
      const steps = [
        "-c 'truncate artists, thesaurus.subjects cascade'",
        copy('artists', 'artists'),
        // Some of the years are words.
        "-c 'create temporary table given (like artworks)' -c 'alter table given alter made_year type text'",
        copy('given', 'artworks'),
        `-c "insert into artworks select id, artist_id, title, nullif(made_year, 'no date')::int, height_mm, tags, dimensions, kind from given"`,
        copy('thesaurus.subjects', 'subjects'),
        copy('subject_artworks', 'subject_artworks'),
        '-c analyze',
      ];
      await run(`psql "$DATABASE_URL" -v ON_ERROR_STOP=1 ${steps.join(' ')}`);
    }
    copyFileSync(join(REPOSITORY, 'test', 'kit', 'museum-walk.ts'), join(directory, 'museum', 'walk.ts'));
    copyFileSync(join(EXAMPLE, 'tsconfig.json'), join(directory, 'museum', 'tsconfig.json'));
    await run('npx tsc && npx tsx walk.ts > walked.json');
    const walked = JSON.parse(readFileSync(join(directory, 'museum', 'walked.json'), 'utf8')) as {
      lists: number;
      pages: number;
      rows: number;
      wrong: string[];
    };
    t.same(walked.wrong, [], 'each list has what Postgres says, in that order');
    t.ok(walked.rows > (real ? 900_000 : 1000), `${walked.lists} lists, ${walked.pages} pages, ${walked.rows} rows`);
    t.comment(`${real ? 'all of' : 'a sample of'} the collection: ${walked.pages} pages with ${walked.rows} rows`);
  });
}
