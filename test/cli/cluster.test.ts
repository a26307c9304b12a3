import { t } from 'tap';
import { portForLater } from '../support/port.ts';
import { runCli } from '../support/run-cli.ts';

t.test('each part of a cluster is killed while a judge reads, and no answer is wrong', async (t) => {
  const port = await portForLater();
  const { code, stdout, stderr } = await runCli('cluster', ['--once', '--seconds', '1'], { PORT: String(port) });
  t.equal(code, 0, stderr + stdout);
  for (const address of [/^Postgres +primary/m, /^Redis +redis/m, new RegExp(`http://127.0.0.1:${port}/graphiql`)])
    t.match(stdout, address);
  t.equal(stdout.match(/^Postgres +replica/gm)?.length, 2);
  t.equal(stdout.match(/^Larder +larder-\d/gm)?.length, 4);
  const seen = [...stdout.matchAll(/^(.+?) +(\d+) reads, (\d+) wrong, (\d+) lost/gm)];
  t.same(
    seen.map(([, what]) => what),
    [
      'all are well',
      ...['larder-4', 'a Redis master', 'a Postgres replica', 'the Postgres primary'].flatMap((what) => [
        `${what} was killed`,
        `${what} comes back`,
      ]),
    ],
  );
  for (const [line, what, reads, wrong] of seen) {
    t.equal(Number(wrong), 0, line);
    if (what !== 'the Postgres primary was killed') t.ok(Number(reads) > 0, line);
  }
});
