import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';

/**
 * A temporary directory that other accounts can enter, which tap's own fixtures below the repository need not be. It is
 * removed when the test ends.
 *
 * @param t the test that it is for
 * @returns its path
 */
export function reachableDirectory(t: Test): string {
  const directory = mkdtempSync(join('/tmp', 'larder-fixture-'));
  chmodSync(directory, 0o755);
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
