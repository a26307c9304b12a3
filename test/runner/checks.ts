import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { run } from './command.ts';

/** One thing that must hold of the whole repository. */
export interface Check {
  readonly name: string;
  /** Finds out whether it holds: `null` when it does, else what is wrong and what to do. */
  run(): Promise<string | null>;
}

/** The checks in the order in which they are worth knowing: the quick ones first. */
export const CHECKS: readonly Check[] = [
  { name: 'format', run: () => succeeds('biome', ['format', '.'], 'Run `npm run format`.') },
  { name: 'lint', run: () => succeeds('biome', ['lint', '--error-on-warnings', '.'], 'See the advice above.') },
  { name: 'types', run: checkTypes },
  { name: 'schema', run: checkSchema },
  { name: 'migrations', run: checkMigrations },
];

async function succeeds(program: string, args: readonly string[], advice: string): Promise<string | null> {
  const { code, said } = await run(program, args);
  return code === 0 ? null : `${said.trim()}\n${advice}`;
}

/** A plugin whose types ask something of every builder is tested in a program of its own. */
async function checkTypes(): Promise<string | null> {
  for (const project of ['.', 'test/kit/scope-auth']) {
    const wrong = await succeeds('tsc', ['-p', project], 'Run `npm run types` for this list.');
    if (wrong !== null) return wrong;
  }
  return null;
}

async function checkSchema(): Promise<string | null> {
  const { code, stdout, said } = await run('tsx', ['src/cli/print-schema.ts']);
  if (code !== 0) return said.trim();
  const file = join(REPOSITORY, 'schema.graphql');
  const committed = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (stdout === committed) return null;
  const now = stdout.split('\n');
  const then = committed.split('\n');
  const line = now.findIndex((text, index) => text !== then[index]);
  return (
    `schema.graphql is not the schema that the code makes. They part at line ${line + 1}:\n` +
    `  committed: ${then[line] ?? '(end of file)'}\n  made now:  ${now[line] ?? '(end of file)'}\n` +
    'Run `npm run schema` and commit schema.graphql.'
  );
}

/** Generates into a copy: a check must not write what it checks. */
async function checkMigrations(): Promise<string | null> {
  const directory = mkdtempSync(join(tmpdir(), 'larder-migrations-'));
  try {
    cpSync(join(REPOSITORY, 'drizzle'), directory, { recursive: true });
    const before = listing(directory);
    // drizzle-kit puts `./` before the path, so that an absolute one would not be found.
    const out = ['--dialect', 'postgresql', '--out', relative(REPOSITORY, directory)];
    const consistent = await run('drizzle-kit', ['check', ...out]);
    if (consistent.code !== 0) return consistent.said.trim();
    const generated = await run('drizzle-kit', ['generate', ...out, '--schema', 'src/app/tables.ts']);
    if (generated.code !== 0) return generated.said.trim();
    const added = listing(directory).filter((file) => !before.includes(file));
    if (added.length === 0) return null;
    return `The tables have changes that no migration makes:\n${generated.said.trim()}\nRun \`npm run db:generate\`.`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function listing(directory: string): string[] {
  return readdirSync(directory, { encoding: 'utf8', recursive: true });
}
