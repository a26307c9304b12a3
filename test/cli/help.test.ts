import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { t } from 'tap';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';

const { PATH, HOME } = process.env;
const run = (program: string, args: readonly string[]) =>
  spawnSync('env', ['-u', 'NODE_OPTIONS', program, ...args], {
    cwd: REPOSITORY,
    env: { PATH, HOME },
    encoding: 'utf8',
  });
const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const makefile = readFileSync(join(REPOSITORY, 'Makefile'), 'utf8');

t.test('make help lists every target and every command of ours', async (t) => {
  const { status, stdout } = run('make', ['-o', 'node_modules/.larder-installed', 'help']);
  t.equal(status, 0);
  const targets = /^\.PHONY: (.*)$/m.exec(makefile)?.[1]?.split(' ') ?? [];
  t.ok(targets.length > 8);
  for (const target of targets) t.match(stdout, new RegExp(`^make ${target} +\\S`, 'm'));
  for (const [name, text] of Object.entries(scripts))
    if (text.startsWith('tsx ')) t.match(stdout, new RegExp(`^npm run ${name}$`, 'm'));
});

t.test('each script says with --help what it does, and does nothing', async (t) => {
  const ofNpm = Object.values(scripts).flatMap((text) => /^tsx (\S+\.ts)/.exec(text)?.[1] ?? []);
  const ofMake = [...makefile.matchAll(/\$\(TS\) (\S+\.ts)/g)].map(([, file = '']) => file);
  const files = [...new Set([...ofNpm, ...ofMake, 'src/cli/install.js'])];
  t.ok(files.length > 12);
  for (const file of files) {
    const { status, stdout, stderr } = run(process.execPath, ['--import=tsx', file, '--help']);
    t.equal(status, 0, `${file}\n${stderr}`);
    t.match(stdout, /^\S.{10,}/, `${file} says what it does`);
    t.match(stdout, /^(Usage:| {2}\S|npm run)/m, `${file} says how it is called`);
  }
});
