import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
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
 * @returns the copy's folder, whose name holds a space
 */
export function copyRepository(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'larder copy '));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  cpSync(REPOSITORY, directory, { recursive: true, filter: (file) => !NOT_COPIED.has(basename(file)) });
  symlinkSync(join(REPOSITORY, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}
