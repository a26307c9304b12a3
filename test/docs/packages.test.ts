import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { t } from 'tap';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { pageText } from './document.ts';
import { runInstall } from './run-install.ts';

/** npm's own reading of ranges, which is there because npm's packages need it. */
const { satisfies } = createRequire(import.meta.url)('semver') as {
  satisfies(version: string, range: string): boolean;
};

interface Lock {
  readonly packages: Readonly<Record<string, { readonly engines?: { readonly node?: string } }>>;
}

t.test('each package runs on the Node that README names, and on those after it', async (t) => {
  const [, named = ''] = /Node (\d+\.\d+) or later/.exec(pageText('README.md')) ?? [];
  const { engines } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  t.equal(engines.node, `>=${named}`);
  const { packages } = JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')) as Lock;
  for (const version of [`${named}.0`, '22.13.0', '24.0.0']) {
    const wrong = Object.entries(packages).filter(([, { engines }]) => !satisfies(version, engines?.node ?? '*'));
    t.strictSame(
      wrong.map(([path, { engines }]) => `${path}: ${engines?.node}`),
      [],
      `npm ci says no EBADENGINE on ${version}`,
    );
  }
});

t.test('whoever waits for npm is told how far it is, and why it failed', async (t) => {
  const dependency = { 'package.json': '{ "name": "near", "version": "1.0.0" }' };
  const lock = {
    name: 'mine',
    lockfileVersion: 3,
    packages: {
      '': { name: 'mine', dependencies: { near: 'file:near' }, optionalDependencies: { far: '1.0.0' } },
      near: { version: '1.0.0' },
      'node_modules/near': { resolved: 'near', link: true },
      // It is for no machine, as those are for another one that have its C library.
      'node_modules/far': { version: '1.0.0', optional: true, os: ['linux', process.platform], libc: ['none'] },
    },
  };
  const project = t.testdir({
    near: dependency,
    'package.json': JSON.stringify({
      name: 'mine',
      dependencies: { near: 'file:near' },
      optionalDependencies: { far: '1.0.0' },
    }),
    'package-lock.json': JSON.stringify(lock),
  });
  const first = await runInstall(project);
  t.equal(first.code, 0, first.said);
  t.match(first.said, /^Installing 2 packages by npm.*^npm ci: \d of 2 packages, \d+ s$/ms);
  const second = await runInstall(project);
  t.match(second.said, /^npm install: /m, 'packages that are there are not removed');
  const broken = await runInstall(
    t.testdir({ 'package.json': '{}', 'package-lock.json': '{"packages": {"": {}}, "lockfileVersion": 3, "x": ' }),
  );
  t.not(broken.code, 0);
});
