import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { WrongValue } from '../wrong-value.ts';

const packages = createRequire(import.meta.url);

/**
 * Finds packages that only those install who use what needs them.
 *
 * @param setting the setting that asks for them
 * @param names the packages, each with its version where that matters
 * @throws {WrongValue} when one is not installed, with what to run
 */
export function needPackages(setting: string, names: readonly string[]): void {
  const missing = names.filter((name) => !isInstalled(name.replace(/(?<=.)@.*$/, '')));
  if (missing.length === 0) return;
  throw new WrongValue(`${setting} needs packages that are not installed. Run: npm install ${names.join(' ')}`);
}

function isInstalled(name: string): boolean {
  // A package may let nobody look into its package.json, and is there all the same.
  return (packages.resolve.paths(name) ?? []).some((folder) => existsSync(join(folder, name, 'package.json')));
}
