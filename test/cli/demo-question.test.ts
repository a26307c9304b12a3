import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Test, t } from 'tap';
import { exited } from '../../src/cli/services/process.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { reachableDirectory } from '../support/temporary.ts';
import { until } from '../support/until.ts';

const QUESTION = 'Go on? [y/N]';

/** A demo in a terminal, such as a person has: `script` makes one. */
async function demoInTerminal(t: Test) {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  // With exec no shell stays between, that would end as Ctrl-C ended it: which shell `script` takes is the machine's.
  const command = `exec ${process.execPath} --import=tsx src/cli/demo.ts`;
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    cwd: REPOSITORY,
    env: {
      ...process.env,
      ...{ PORT: '0', METRICS_PORT: '0', LARDER_STATE_DIR: join(reachableDirectory(t), 'state') },
      ...{ DATABASE_URL: database.url, REDIS_URL: redis.url },
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const says = (text: string) =>
    until(
      `it says "${text}"`,
      () => {
        if (child.exitCode !== null && !output.includes(text)) throw new Error(`It has ended:\n${output}`);
        return output.includes(text);
      },
      // The page and the sample data come before: on a busy machine that took more than a minute.
      240,
    );
  const sql = openSql(t, database);
  return {
    sql,
    says,
    type: (text: string) => child.stdin.write(text),
    output: () => output,
    ended: () => exited(child),
  };
}

t.test('asked in a terminal, anything but yes writes nothing', async (t) => {
  const { sql, says, type, output, ended } = await demoInTerminal(t);
  await says(QUESTION);
  t.match(output(), 'would be migrated, and filled with sample data if it is empty');
  type('\n');
  t.equal(await ended(), 'exit code 1');
  t.match(output(), /Nothing was written.*LARDER_DEMO_WRITE=true/s);
  t.same([...(await sql`select 1 from brands`)], []);
});

t.test('with a yes it fills the database, and Ctrl-C ends it', async (t) => {
  const { sql, says, type, output, ended } = await demoInTerminal(t);
  await says(QUESTION);
  type('y\n');
  await says('Ctrl-C stops');
  t.equal((await sql`select 1 from brands`).length, 20);
  t.match(output(), 'psql "$DATABASE_URL"', 'what the reader gave is not printed');
  type('\x03');
  t.equal(await ended(), 'exit code 0');
});
