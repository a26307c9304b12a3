import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const TEMPLATE = fileURLToPath(new URL('template', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../package.json', import.meta.url));

/** Where npm notes from where it took each package, beside the packages. */
const INSTALLED = fileURLToPath(new URL('../../../.package-lock.json', import.meta.url));

/** What `npm pack` makes of this version. */
export const TARBALL = `larder-${(JSON.parse(readFileSync(PACKAGE, 'utf8')) as OwnPackage).version}.tgz`;

/** Files that npm would not pack under their own names. */
const RENAMED: Readonly<Record<string, string>> = {
  gitignore: '.gitignore',
  'env.example': '.env.example',
  'github/workflows/test.yml': '.github/workflows/test.yml',
};

/** Errors that are about the directory, not about Larder. */
const FORESEEN = ['EACCES', 'ENOTDIR', 'EEXIST', 'EROFS', 'ENOSPC'];

/** What Larder's own package.json says of itself. */
interface OwnPackage {
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly overrides: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** A project cannot be written there. The message says why, and what to do. */
export class InitError extends Error {
  override name = 'InitError';
}

/**
 * Writes a project with two entities, their tables, a server and a test.
 *
 * @param directory where to write it; made when it is not there
 * @returns the paths of the files, relative to the directory
 * @throws {InitError} when something is there already, or nothing can be written there
 */
export function writeProject(directory: string): string[] {
  try {
    return writeFiles(directory);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!(error instanceof Error) || !FORESEEN.includes(code)) throw error;
    throw new InitError(error.message, { cause: error });
  }
}

function writeFiles(directory: string): string[] {
  mkdirSync(directory, { recursive: true });
  if (readdirSync(directory).some((file) => file !== '.git')) {
    throw new InitError(`${directory} is not empty: name a directory that is, or that is not there yet.`);
  }
  const name = packageName(directory);
  const files = readdirSync(TEMPLATE, { encoding: 'utf8', recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(TEMPLATE.length + 1));
  const texts = files.map((file) => [RENAMED[file] ?? file, readFileSync(join(TEMPLATE, file), 'utf8')] as const);
  const tarball = ownTarball();
  const all = [...texts, ['package.json', packageJson(name, tarball)] as const];
  for (const [file, text] of all) {
    const path = join(directory, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text.replaceAll('{{name}}', name));
  }
  if (tarball !== null) copyFileSync(tarball, join(directory, basename(tarball)));
  return [...all.map(([file]) => file), ...(tarball === null ? [] : [basename(tarball)])].sort();
}

/** The tarball that this package was installed from. The project takes a copy, since no registry has it. `null` when it is not known. */
function ownTarball(): string | null {
  if (!existsSync(INSTALLED)) return null;
  const { packages = {} } = JSON.parse(readFileSync(INSTALLED, 'utf8')) as {
    readonly packages?: Readonly<Record<string, { readonly resolved?: string }>>;
  };
  const [, path] = /^file:(.+\.tgz)$/.exec(packages['node_modules/larder']?.resolved ?? '') ?? [];
  if (path === undefined) return null;
  const tarball = resolve(dirname(INSTALLED), '..', path);
  return existsSync(tarball) ? tarball : null;
}

/** The directory's name, made valid for npm. */
function packageName(directory: string): string {
  const name = basename(resolve(directory))
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return name === '' || name === 'larder' ? 'my-larder' : name;
}

/** Names the same versions of packages that Larder itself was tested with. */
function packageJson(name: string, tarball: string | null): string {
  const own = JSON.parse(readFileSync(PACKAGE, 'utf8')) as OwnPackage;
  const peers = Object.entries(own.peerDependencies).filter(([peer]) => !own.peerDependenciesMeta[peer]?.optional);
  const developed = ['@types/node', 'drizzle-kit', 'typescript'];
  // Their next versions want a later Node, of which npm would warn.
  const held = ['content-disposition', 'cookie'];
  const rangesOf = (names: readonly string[], of: Readonly<Record<string, string>>) =>
    names.map((name) => [name, of[name]] as const);
  const dependencies = [
    ...peers,
    // Never from a registry: the package of that name there is somebody else's.
    ['larder', `file:${tarball === null ? TARBALL : basename(tarball)}`] as const,
    ...rangesOf(['pino'], own.dependencies),
    ...rangesOf(['tsx'], own.devDependencies),
  ];
  const sorted = dependencies.toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = {
    name,
    version: '0.0.0',
    private: true,
    type: 'module',
    engines: own.engines,
    scripts: {
      start: 'node --import=tsx src/server.ts',
      migrate: 'node --import=tsx src/migrate.ts',
      generate: 'drizzle-kit generate',
      types: 'tsc',
      test: 'node --import=tsx --test test/*.test.ts',
    },
    dependencies: Object.fromEntries(sorted),
    devDependencies: Object.fromEntries(rangesOf(developed, own.devDependencies)),
    overrides: Object.fromEntries(rangesOf(held, own.overrides)),
  };
  return `${JSON.stringify(text, null, 2)}\n`;
}
