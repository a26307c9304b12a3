import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Test } from 'tap';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';

/** What a clone has not, or what the copy makes itself. */
const NOT_COPIED = new Set(['node_modules', '.git', '.larder', '.tap', 'dist', '.env']);

/**
 * Copies the repository, without its packages, which it shares, and without what was built.
 *
 * @param t the test that it is for, at whose end the copy is removed
 * @param without a package that the copy lacks
 * @returns the copy's folder, whose name holds a space
 */
export function copyRepository(t: Test, without?: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'larder copy '));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  cpSync(REPOSITORY, directory, { recursive: true, filter: (file) => !NOT_COPIED.has(basename(file)) });
  const [shared, packages] = [join(REPOSITORY, 'node_modules'), join(directory, 'node_modules')];
  if (without === undefined) symlinkSync(shared, packages);
  else {
    mkdirSync(packages);
    for (const name of readdirSync(shared)) {
      if (name !== without) symlinkSync(join(shared, name), join(packages, name));
    }
  }
  return directory;
}
