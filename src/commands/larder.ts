#!/usr/bin/env node
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isSchema } from 'graphql';
import { RedisUnavailable } from '../cache/cluster/sources.ts';
import { InitError, TARBALL, writeProject } from '../init/write-project.ts';
import type { Larder } from '../larder-face.ts';
import { MigrationError, migrate } from '../migrate/index.ts';
import { DatabaseUnavailable } from '../postgres/errors.ts';
import { sayCached } from './cached.ts';
import { type Command, endOnSignals, expectNoMore, runCommand, UsageError } from './command.ts';
import { sayMissing } from './doctor.ts';
import { DocumentsError, writeDocuments } from './documents.ts';
import { forgetEverything } from './forget.ts';

const help = `Commands of Larder.

  npx larder init [DIRECTORY]
  npx larder migrate | forget | cached | doctor | documents …

  init [DIRECTORY]                             write a project into an empty directory, the current one unless given: two
                                               entities with their tables, a schema, a server, a migration, a test, and files
                                               for Docker Compose and for GitHub's CI
  migrate [--schema NAME] [--migrations DIR]   make in the database at DATABASE_URL what Larder needs there, then apply the
                                               migrations of DIR, as drizzle-kit generates them
  forget MODULE                                make every process forget what it has cached: after a restore, or a change of
                                               rows that Larder cannot notice
  cached MODULE ENTITY ID                      what Redis has of an entity, and whether reads use it and why
  doctor MODULE                                which indexes the lists lack, as SQL that makes them; the exit code is then 1
  documents MODULE FILE... [--out FILE]        the documents of Relay's compiler as a server wants them

MODULE is a file of yours that exports \`larder\`, or a function \`openLarder\`, and for documents \`schema\`. One in TypeScript needs a loader, as in
NODE_OPTIONS=--import=tsx npx larder forget ./src/larder.ts
`;

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** What a user's module exports. Its Larder is closed at once: no command needs it open, and the process has to end. */
interface Exported {
  readonly larder: Pick<Larder, 'stores' | 'entities'> | null;
  readonly schema: unknown;
}

async function load(file: string | undefined): Promise<Exported> {
  if (file === undefined) throw new UsageError('Which module? Name the file that exports what the command is about.');
  const exported = (await import(pathToFileURL(resolve(file)).href)) as Readonly<Record<string, unknown>>;
  const { openLarder } = exported;
  const opened = exported.larder ?? (typeof openLarder === 'function' ? openLarder() : undefined);
  const larder = (await opened) as Partial<Larder> | undefined;
  await larder?.close?.();
  const { stores, entities = {} } = larder ?? {};
  return { larder: stores === undefined ? null : { stores, entities }, schema: exported.schema };
}

async function loadLarder(file: string | undefined): Promise<Pick<Larder, 'stores' | 'entities'>> {
  const { larder } = await load(file);
  if (larder === null)
    throw new UsageError(
      `${file} exports no \`larder\`: expected what createLarder returns, or \`openLarder\`, which calls it.`,
    );
  return larder;
}

const commands: Readonly<
  Record<string, (values: { [name: string]: string | undefined }, words: string[]) => Promise<void>>
> = {
  init: async (_values, [directory = '.', ...more]) => {
    expectNoMore(more);
    const files = writeProject(directory);
    for (const file of files) say(`  ${file}`);
    if (!files.some((file) => file.endsWith('.tgz')))
      say(`\nPut ${TARBALL} there, which npm pack makes in a clone of Larder: package.json refers to it.`);
    say(`\nNext${directory === '.' ? '' : `, in ${directory}`}: npm install. Its README.md has the rest.`);
  },
  migrate: async ({ schema, migrations }, words) => {
    expectNoMore(words);
    const { DATABASE_URL: url = '' } = process.env;
    if (url === '') throw new UsageError('DATABASE_URL is not set: which database?');
    await migrate({
      postgres: { url },
      log: say,
      ...(schema === undefined ? {} : { schema }),
      ...(migrations === undefined ? {} : { migrations }),
    });
  },
  forget: async (_values, [file, ...more]) => {
    expectNoMore(more);
    const { stores, entities } = await loadLarder(file);
    await forgetEverything(stores, Object.keys(entities), say);
  },
  cached: async (_values, [file, ...words]) => {
    const { stores, entities } = await loadLarder(file);
    await sayCached(stores, entities, words, say);
  },
  doctor: async (_values, [file, ...more]) => {
    expectNoMore(more);
    const { stores, entities } = await loadLarder(file);
    if (!(await sayMissing(stores, entities, say))) process.exitCode = 1;
  },
  documents: async ({ out = 'documents.json' }, [file, ...files]) => {
    const { schema } = await load(file);
    if (!isSchema(schema)) throw new UsageError(`${file} exports no \`schema\`: expected a GraphQLSchema.`);
    if (files.length === 0) throw new UsageError('Expected the files that the Relay compiler wrote.');
    await writeDocuments(files, schema, out, (line) => void process.stderr.write(`${line}\n`));
  },
};

const options = { schema: { type: 'string' }, migrations: { type: 'string' }, out: { type: 'string' } } as const;

endOnSignals();
await runCommand({
  help,
  options,
  errors: [DatabaseUnavailable, DocumentsError, InitError, MigrationError, RedisUnavailable],
  run: (values, [name = '', ...words]) => {
    const command = commands[name];
    if (command === undefined) throw new UsageError(name === '' ? 'Which command?' : `There is no command ${name}.`);
    return command(values, words);
  },
} satisfies Command<typeof options>);
// The user's module may hold clients of its own, which would keep the process.
process.stdout.write('', () => process.exit());
