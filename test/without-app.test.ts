import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join, sep } from 'node:path';
import { t } from 'tap';
import { copyRepository } from './support/copy-repository.ts';
import { importsOf, wayTo } from './support/imports.ts';

t.test('without the campaigns there is a library, which compiles with its tests', async (t) => {
  const copy = copyRepository(t);
  const graph = new Map([...importsOf('src'), ...importsOf('test')]);
  const isApp = (file: string) => file.startsWith(join('src', 'app') + sep) || file === join('src', 'main.ts');
  const kept: string[] = [];
  for (const file of graph.keys()) {
    if (wayTo(graph, file, isApp) === null) kept.push(file);
    else rmSync(join(copy, file));
  }
  for (const gone of ['drizzle', 'drizzle.config.ts']) rmSync(join(copy, gone), { recursive: true });
  for (const door of ['index', 'pothos/index', 'http/index', 'migrate/index']) {
    t.ok(kept.includes(join('src', `${door}.ts`)), `the door ${door} stays`);
  }
  const left = kept.filter((file) => file.endsWith('.test.ts'));
  t.ok(left.length >= 40, `${left.length} files of tests stay`);
  const compiler = join(copy, 'node_modules', '.bin', 'tsc');
  for (const project of ['.', 'tsconfig.build.json']) {
    // tap tells each Node that a test starts how to load TypeScript, which the compiler has no use for.
    const command = ['-u', 'NODE_OPTIONS', compiler, '-p', project, '--noEmit'];
    const { status, stdout, stderr } = spawnSync('env', command, { cwd: copy, encoding: 'utf8' });
    t.equal(status, 0, `${project}: ${stdout}${stderr}`);
  }
});
