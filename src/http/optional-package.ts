import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { WrongValue } from '../wrong-value.ts';

const packages = createRequire(import.meta.url);

/**
 * Checks that optional packages are installed.
 *
 * @param setting the setting that needs them
 * @param names the packages, each with its version where that matters
 * @throws {WrongValue} when one is not installed, with the command to run
 */
export function needPackages(setting: string, names: readonly string[]): void {
  const missing = names.filter((name) => !isInstalled(name.replace(/(?<=.)@.*$/, '')));
  if (missing.length === 0) return;
  throw new WrongValue(`${setting} needs packages that are not installed. Run: npm install ${names.join(' ')}`);
}

function isInstalled(name: string): boolean {
  // The exports of a package may hide its package.json, so it is looked up as a file.
  return (packages.resolve.paths(name) ?? []).some((folder) => existsSync(join(folder, name, 'package.json')));
}
