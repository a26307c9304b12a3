import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, t } from 'tap';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { makeData } from '../support/data.ts';
import { openServer, openSql, type TestServer } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { blocks, commands, PAGES, pageText } from './document.ts';

interface Stage {
  readonly server: TestServer;
  readonly databaseUrl: () => Promise<string>;
}

/** Runs a command beside the server that it may ask, which is in this process. */
async function shell(command: string, env: Readonly<Record<string, string>> = {}) {
  const { PATH, HOME } = process.env;
  // tap tells each Node that a test starts how to load TypeScript, which a reader's has not been told.
  const child = spawn('bash', ['-o', 'pipefail', '-c', command], {
    cwd: REPOSITORY,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, stdout, said: stdout + stderr };
}

/** Who runs a command that is not run here. */
const elsewhere = (test: string) => async (t: Test, command: string) => {
  t.ok(existsSync(join(REPOSITORY, test)), `${command}: ${test}`);
};

/** What is done with a command, by how it looks. The first that fits counts. */
const RUN: readonly (readonly [RegExp, (t: Test, command: string, stage: Stage) => Promise<void>])[] = [
  [
    /^curl /,
    async (t, command, { server }) => {
      const here = command
        .replace('http://127.0.0.1:4000', server.url)
        .replace('http://127.0.0.1:9464/metrics', server.metricsUrl);
      t.not(here, command, 'it asks a server where one is');
      const { status, stdout, said } = await shell(here);
      t.equal(status, 0, `${command}\n${said}`);
      t.notMatch(stdout, '"errors"', command);
      t.match(stdout, /\S/, 'there is an answer');
    },
  ],
  [
    /^(?:[A-Z_]+=\d+ )?make ([a-z]+)$/,
    async (t, command) => {
      // What a target runs is what its tests run: `src/cli/demo.ts` and the like.
      const { status, said } = await shell(`make -n -o node_modules/.larder-installed ${command.split(' ').at(-1)}`);
      t.equal(status, 0, said);
      const [, file = ''] = /exec node --import=tsx (\S+\.ts)/.exec(said) ?? [];
      t.ok(existsSync(join(REPOSITORY, file)) && file !== '', `${command} runs ${file}`);
    },
  ],
  [
    /^(?:[A-Z_]+=\d+ )?npx tsx test\/run\.ts (\S+)$/,
    async (t, command) => {
      const file = command.split(' ').at(-1) ?? '';
      t.ok(existsSync(join(REPOSITORY, file)), command);
    },
  ],
  [
    /^npm run db:seed /,
    async (t, command, { databaseUrl }) => {
      const { status, said } = await shell(command, { DATABASE_URL: await databaseUrl() });
      t.equal(status, 0, `${command}\n${said}`);
    },
  ],
  [/^npm run db:load -- DIR$/, elsewhere('test/cli/load.test.ts')],
  [/^npm run documents -- persisted\.json$/, elsewhere('test/docs/clients.test.ts')],
  [
    /^npm (ci|run build|ci --omit=dev|start|run schema|run db:generate -- --name venues)$/,
    elsewhere('test/readme.test.ts'),
  ],
  [/^npm ci && npm pack\b/, elsewhere('test/kit/package.test.ts')],
  [/^npx (?:--package=\S+ )?larder (init|migrate|forget|cached|documents)\b/, elsewhere('test/kit/package.test.ts')],
  [/^node dist\/cli\/(migrate|forget|cached)\.js/, elsewhere('test/readme.test.ts')],
  // No Docker is where the tests run: what the file hands to the programs is looked at.
  [/^docker compose up --build$/, elsewhere('test/observability/rules.test.ts')],
];

t.test('every command of every page is run', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  await makeData(openSql(t, database), { brands: 1, campaigns: 5, events: 20, perCampaign: 2 });
  const env = { CORS_ORIGINS: 'https://app.example.com', MAX_COST: '1000' };
  const server = await openServer(t, { database, redis, env });
  const stage: Stage = { server, databaseUrl: async () => (await freshDatabase(t)).url };
  let ran = 0;
  for (const page of PAGES) {
    for (const block of blocks(pageText(page))) {
      if (block.language !== 'sh' || block.runBy !== null) continue;
      for (const command of commands(block)) {
        const [, run] = RUN.find(([pattern]) => pattern.test(command)) ?? [];
        if (run === undefined) t.fail(`${page}: nobody runs "${command}": say who by <!-- run by test/x.test.ts -->`);
        else await run(t, command, stage);
        ran += 1;
      }
    }
  }
  t.ok(ran > 20, `${ran} commands`);
});

t.test('the answer to a preflight is what docs/clients.md is about', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const server = await openServer(t, { database, redis, env: { CORS_ORIGINS: 'https://app.example.com' } });
  const curl = blocks(pageText('docs/clients.md')).find(({ text }) => text.startsWith('curl -si -X OPTIONS'));
  const [command = ''] = curl === undefined ? [] : commands(curl);
  const { stdout } = await shell(command.replace('http://127.0.0.1:4000', server.url));
  t.match(stdout, /access-control-allow-origin: https:\/\/app\.example\.com/i);
  t.match(stdout, /access-control-allow-headers: .*authorization/i);
});

t.test('what CI runs is what README says', async (t) => {
  const ci = readFileSync(join(REPOSITORY, '.ci', 'run'), 'utf8');
  t.match(ci, 'make test');
  t.match(pageText('README.md'), '.ci/run');
});
