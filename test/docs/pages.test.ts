import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { t } from 'tap';
import { NESTED_QUERY } from '../../src/app/example-query.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { anchors, blocks, PAGES, pageText, section } from './document.ts';
import { roomImports } from './imports.ts';

/** Who runs or compiles the blocks of a language: on each page, or on one. Shell blocks are those of `commands.test.ts`. */
const CLAIMED: Readonly<Record<string, string>> = {
  ts: 'test/docs/typescript.test.ts',
  sh: 'test/docs/commands.test.ts',
  graphql: 'test/docs/pages.test.ts',
  mermaid: 'test/docs/pages.test.ts',
  'docs/campaigns.md diff': 'test/readme.test.ts',
  'docs/campaigns.md sql': 'test/readme.test.ts',
  'docs/clients.md js': 'test/docs/clients.test.ts',
  'docs/clients.md json': 'test/docs/clients.test.ts',
  'docs/fastify.md sql': 'test/kit/package.test.ts',
  'docs/fastify.md ts': 'test/kit/package.test.ts',
  'docs/observability.md json': 'test/readme.test.ts',
  'docs/operations.md haproxy': 'test/faults/support/load-balancers.ts',
  'docs/operations.md nginx': 'test/faults/support/load-balancers.ts',
  'docs/operations.md redis': 'test/observability/rights.test.ts',
  'docs/operations.md sql': 'test/observability/rights.test.ts',
  'docs/your-tables.md sql': 'test/docs/typescript.test.ts',
  'README.md ': 'test/docs/pages.test.ts',
};

t.test('each block of each page is somebody’s to run or to compile', async (t) => {
  for (const page of PAGES) {
    for (const { language, text, runBy } of blocks(pageText(page))) {
      const [first = ''] = text.split('\n');
      const test = runBy ?? CLAIMED[`${page} ${language}`] ?? CLAIMED[language];
      if (test === undefined || !existsSync(join(REPOSITORY, test))) {
        t.fail(`${page}: nobody runs the ${language} block "${first}": say who by <!-- run by test/x.test.ts -->`);
      } else if (runBy !== null) {
        const name = page.split('/').at(-1) ?? page;
        t.ok(readFileSync(join(REPOSITORY, test), 'utf8').includes(name), `${test} reads ${page}`);
      }
    }
  }
  t.ok(PAGES.length > 8);
});

t.test('README is a screen or three, and shows what the demo asks', async (t) => {
  const lines = pageText('README.md').trimEnd().split('\n').length;
  t.ok(lines <= 150, `${lines} lines`);
  t.ok(section('README.md', 'Start').includes(NESTED_QUERY));
  t.ok(section('docs/glossary.md', 'Words').match(/^\| [a-z]/gm)?.length === 20, 'twenty words');
});

t.test('the changelog tells of this version', async (t) => {
  const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string };
  const [, latest] = /^## (\d+\.\d+\.\d+) – \d{4}-\d\d-\d\d$/m.exec(pageText('CHANGELOG.md')) ?? [];
  t.equal(latest, version);
});

t.test('the house has a line for each room', async (t) => {
  const rooms = [...section('docs/architecture.md', 'Rooms').matchAll(/^\| `(\w+)`/gm)].map(([, room]) => room);
  t.same(rooms.toSorted(), [...roomImports().keys()]);
});

t.test('queries and mutations are valid', async (t) => {
  const schema = buildSchema(readFileSync(join(REPOSITORY, 'schema.graphql'), 'utf8'));
  for (const page of PAGES.filter((page) => page !== 'docs/campaigns.md')) {
    for (const { language, text, runBy } of blocks(pageText(page))) {
      if (language === 'graphql' && runBy === null) t.same(validate(schema, parse(text)), [], `${page}\n${text}`);
    }
  }
  const [write] = blocks(section('docs/campaigns.md', 'Write'));
  t.same(validate(schema, parse(write?.text ?? '')), []);
});

t.test('diagrams are well formed', async (t) => {
  const LINE = {
    sequenceDiagram: /^ {2}(participant \w+|\w+--?>>\w+: \S.*)$/,
    'flowchart TD': /^ {2}\w+ --> \w+$/,
  } as const;
  let drawn = 0;
  for (const page of PAGES) {
    for (const { text } of blocks(pageText(page)).filter(({ language }) => language === 'mermaid')) {
      const [kind = '', ...lines] = text.trimEnd().split('\n');
      const line = LINE[kind as keyof typeof LINE];
      for (const wrong of lines.filter((text) => !line?.test(text))) t.fail(`${page}: ${wrong}`);
      const actors = new Set(lines.flatMap((text) => /^ {2}participant (\w+)$/.exec(text)?.[1] ?? []));
      for (const [, from = '', to = ''] of text.matchAll(/^ {2}(\w+)--?>>(\w+):/gm)) {
        t.ok(actors.has(from) && actors.has(to), `${page}: ${from} and ${to} take part`);
      }
      drawn += 1;
    }
  }
  t.ok(drawn >= 3);
});

t.test('every command, file, heading and link that is named is there', async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { scripts: object };
  const makefile = readFileSync(join(REPOSITORY, 'Makefile'), 'utf8');
  const made = new Set(blocks(section('docs/campaigns.md', 'Add an entity')).map(({ place }) => place?.file));
  for (const page of [...PAGES, 'CAVEATS.md', 'SECURITY.md']) {
    const text = pageText(page);
    for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g))
      t.ok(Object.hasOwn(scripts, name), `npm run ${name}`);
    for (const [, name = ''] of text.matchAll(/(?:`|^|time |\d )make ([a-z]+)/gm)) {
      t.match(makefile, new RegExp(`^${name}:`, 'm'), `${page}: make ${name}`);
    }
    for (const [, file = ''] of text.matchAll(/`((?:src|test|drizzle|docs|ops|bench)\/[\w./-]+)`/g)) {
      if (!made.has(file)) t.ok(existsSync(join(REPOSITORY, file)), `${page} names ${file}`);
    }
    for (const [, link = ''] of text.matchAll(/\]\(([^)]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [path = '', anchor] = link.split('#');
      const file = path === '' ? join(REPOSITORY, page) : join(REPOSITORY, dirname(page), path);
      t.ok(existsSync(file), `${page} links ${link}`);
      if (anchor !== undefined && existsSync(file)) {
        t.ok(anchors(pageText(relative(REPOSITORY, file))).has(anchor), `${page} links ${link}`);
      }
    }
  }
  const readme = pageText('README.md');
  for (const page of PAGES.slice(1)) t.ok(readme.includes(`(${page}`), `README leads to ${page}`);
});
