import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLIENT = fileURLToPath(new URL('client', import.meta.url));
const SCHEMA = fileURLToPath(new URL('../../schema.graphql', import.meta.url));
const COMPILER = fileURLToPath(new URL('../../node_modules/.bin/relay-compiler', import.meta.url));

/**
 * Runs relay-compiler on the client in `client/` and the committed schema.
 *
 * @param directory where: modules that are in its `client/` already are compiled, too; what is made goes to its `artifacts/`
 * @param config what the compiler is told besides
 * @returns how it ended, and everything that it printed
 */
export function runRelayCompiler(directory: string, config: object): { exitCode: number | null; said: string } {
  mkdirSync(join(directory, 'artifacts'));
  cpSync(CLIENT, join(directory, 'client'), { recursive: true });
  cpSync(SCHEMA, join(directory, 'schema.graphql'));
  const whole = {
    src: './client',
    schema: './schema.graphql',
    artifactDirectory: './artifacts',
    language: 'javascript',
    eagerEsModules: false,
    customScalarTypes: { DateTime: 'string' },
    ...config,
  };
  writeFileSync(join(directory, 'relay.config.json'), JSON.stringify(whole));
  const options = { cwd: directory, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(COMPILER, ['relay.config.json', '--noWatchman'], options);
  return { exitCode: status, said: stdout + stderr };
}
