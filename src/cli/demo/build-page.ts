import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { runProgram } from '../services/run-program.ts';
import { ServiceError } from '../services/service-error.ts';
import { REPOSITORY } from '../services/state-directory.ts';

const SOURCE = fileURLToPath(new URL('page', import.meta.url));

/** A document of Relay in a source file, with the name of its artifact. */
const DOCUMENT = /graphql`\s*(?:query|mutation|fragment)\s+(\w+)[^`]*`/g;

/**
 * Builds the demo's page. Relay's compiler makes the artifacts, and esbuild bundles them with the packages into one script. So the page
 * loads nothing from another host.
 *
 * @returns the script
 * @throws {ServiceError} when the compiler refuses the page, with the compiler's message
 */
export async function buildPage(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'larder-page-'));
  try {
    const artifacts = join(directory, 'artifacts');
    mkdirSync(artifacts);
    cpSync(SOURCE, join(directory, 'page'), { recursive: true });
    const config = {
      src: './page',
      schema: './schema.graphql',
      artifactDirectory: './artifacts',
      language: 'javascript',
      customScalarTypes: { DateTime: 'string' },
      eagerEsModules: true,
    };
    cpSync(join(REPOSITORY, 'schema.graphql'), join(directory, 'schema.graphql'));
    writeFileSync(join(directory, 'relay.config.json'), JSON.stringify(config));
    const compiler = join(REPOSITORY, 'node_modules', '.bin', 'relay-compiler');
    const compiled = await runProgram(compiler, ['relay.config.json', '--noWatchman'], { cwd: directory });
    if (compiled.code !== 0) throw new ServiceError(`The demo's page does not compile:\n${compiled.said}`);
    const { outputFiles } = await build({
      entryPoints: [join(SOURCE, 'page.jsx')],
      bundle: true,
      write: false,
      format: 'esm',
      target: 'es2022',
      jsx: 'automatic',
      minify: true,
      define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
      plugins: [relayArtifacts(artifacts)],
      logLevel: 'silent',
    });
    const [script] = outputFiles;
    if (script === undefined) throw new ServiceError("esbuild made nothing of the demo's page.");
    return script.text;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Replaces each document by its artifact, as Relay's plugin for Babel does. */
function relayArtifacts(artifacts: string): Plugin {
  return {
    name: 'relay-artifacts',
    setup({ onLoad }) {
      onLoad({ filter: /demo\/page\/\w+\.jsx$/ }, ({ path }) => {
        const imports: string[] = [];
        const source = readFileSync(path, 'utf8').replaceAll(DOCUMENT, (_document, name: string) => {
          imports.push(`import artifact_${name} from ${JSON.stringify(join(artifacts, `${name}.graphql.js`))};\n`);
          return `artifact_${name}`;
        });
        return { contents: imports.join('') + source, loader: 'jsx' };
      });
    },
  };
}
