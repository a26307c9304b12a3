import { canInstall, findOnPath, installPackage } from '../../src/cli/services/install.ts';
import { ServiceError } from '../../src/cli/services/service-error.ts';

/**
 * Finds wrk on PATH, else installs Debian's where root may.
 *
 * @returns the absolute path of the program
 * @throws when there is none and none can be installed; the message says what to do
 */
export async function findOrInstallWrk(): Promise<string> {
  if (findOnPath(['wrk']) === null && canInstall()) await installPackage('wrk');
  const found = findOnPath(['wrk']);
  if (found !== null) return found;
  throw new ServiceError(
    'There is no wrk on PATH, which sends the load: `sudo apt-get install wrk`, or `brew install wrk`.',
  );
}
