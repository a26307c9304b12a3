import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConcreteRequest, ReaderFragment } from 'relay-runtime';
import type { Test } from 'tap';
import { runRelayCompiler } from './run-compiler.ts';

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
  mkdirSync(join(directory, 'client'));
  for (const [file, text] of Object.entries(more)) writeFileSync(join(directory, 'client', file), text);
  const ended = runRelayCompiler(directory, { requireCustomScalarTypes: true });
  const require = createRequire(join(artifacts, 'index.js'));
  const load = (name: string): unknown => require(`./${name}.graphql.js`);
  return {
    ...ended,
    artifacts: readdirSync(artifacts)
      .map((file) => file.replace(/\.graphql\.js$/, ''))
      .sort(),
    query: (name) => load(name) as ConcreteRequest,
    fragment: (name) => load(name) as ReaderFragment,
  };
}
