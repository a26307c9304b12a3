import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandLine } from './process.ts';
import { ServiceError } from './service-error.ts';

/**
 * Claims a directory for this process. Services that are found in it are then leftovers, and may be stopped.
 *
 * @param directory an existing directory
 * @returns gives the claim up; a process that dies loses its claim, too
 * @throws when another living process has claimed it
 */
export function claimDirectory(directory: string): () => void {
  const file = join(directory, 'owner');
  const claim = `${process.pid}\n${commandLine(process.pid)}\n`;
  for (;;) {
    try {
      writeFileSync(file, claim, { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const [pid, command] = readFileSync(file, 'utf8').split('\n');
    // The id may belong to another process by now. The claim's owner has the recorded command line, too.
    if (command !== '' && commandLine(Number(pid)) === command) {
      throw new ServiceError(
        `Process ${pid} uses ${directory} already. Stop it first: Ctrl-C where it runs, or \`kill ${pid}\`.`,
      );
    }
    rmSync(file, { force: true });
  }
}
