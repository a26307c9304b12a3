#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { InitError, writeProject } from './write-project.ts';

const help = `Commands of Larder.

  npx larder init [DIRECTORY]

  init  writes a project into an empty directory, the current one unless given: two entities with their tables, a schema, a server,
        a migration, a test, and files for Docker Compose and for GitHub's CI

  --help, -h  shows this
`;

/** Runs the command of the process. Its exit code is 0 when it is done, 1 when it failed, 2 when it was called wrongly. */
function run(): void {
  const { values, positionals } = parseArgs({
    options: { help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  });
  const [command, directory = '.', ...others] = positionals;
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  if (command !== 'init' || others.length > 0) {
    process.stderr.write(help);
    process.exitCode = 2;
    return;
  }
  for (const file of writeProject(directory)) process.stdout.write(`  ${file}\n`);
  process.stdout.write(`\nNow${directory === '.' ? '' : ` in ${directory}`}: npm install, then as README.md says.\n`);
}

try {
  run();
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const wrongUse = code.startsWith('ERR_PARSE_ARGS');
  // What nobody foresaw is shown with its stack.
  const foreseen = error instanceof InitError || wrongUse || ['EACCES', 'ENOTDIR', 'EROFS', 'ENOSPC'].includes(code);
  process.stderr.write(`${foreseen && error instanceof Error ? error.message : error}\n`);
  process.exitCode = wrongUse ? 2 : 1;
}
