import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConcreteRequest, ReaderFragment } from 'relay-runtime';
import type { Test } from 'tap';

const CLIENT = fileURLToPath(new URL('client', import.meta.url));
const SCHEMA = fileURLToPath(new URL('../../schema.graphql', import.meta.url));
const COMPILER = fileURLToPath(new URL('../../node_modules/.bin/relay-compiler', import.meta.url));

/** What relay-compiler made of a client. */
export interface Compiled {
  readonly exitCode: number | null;
  /** Everything it printed. */
  readonly said: string;
  /** The names of the artifacts, without `.graphql.js`. */
  readonly artifacts: readonly string[];
  /** @returns the artifact of a query */
  query(name: string): ConcreteRequest;
  /** @returns the artifact of a fragment */
  fragment(name: string): ReaderFragment;
}

/**
 * Compiles the client in `client/` against the committed schema, in a temporary directory that the test's end removes.
 *
 * @param t the test
 * @param more further modules of the client, by file name
 * @returns how the compiler ended and what it wrote
 */
export function compileClient(t: Test, more: Readonly<Record<string, string>> = {}): Compiled {
  const directory = mkdtempSync(join(tmpdir(), 'larder-relay-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const artifacts = join(directory, 'artifacts');
  mkdirSync(artifacts);
  cpSync(CLIENT, join(directory, 'client'), { recursive: true });
  cpSync(SCHEMA, join(directory, 'schema.graphql'));
  for (const [file, text] of Object.entries(more)) writeFileSync(join(directory, 'client', file), text);
  const config = {
    src: './client',
    schema: './schema.graphql',
    artifactDirectory: './artifacts',
    language: 'javascript',
    eagerEsModules: false,
    requireCustomScalarTypes: true,
    customScalarTypes: { DateTime: 'string' },
  };
  writeFileSync(join(directory, 'relay.config.json'), JSON.stringify(config));
  const compiler = spawnSync(COMPILER, ['relay.config.json', '--noWatchman'], { cwd: directory, encoding: 'utf8' });
  const require = createRequire(join(artifacts, 'index.js'));
  const load = (name: string): unknown => require(`./${name}.graphql.js`);
  return {
    exitCode: compiler.status,
    said: compiler.stdout + compiler.stderr,
    artifacts: readdirSync(artifacts)
      .map((file) => file.replace(/\.graphql\.js$/, ''))
      .sort(),
    query: (name) => load(name) as ConcreteRequest,
    fragment: (name) => load(name) as ReaderFragment,
  };
}
