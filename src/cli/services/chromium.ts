import { canInstall, findOnPath, installPackage, isExecutable } from './install.ts';
import { ServiceError } from './service-error.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const ADVICE =
  'Set CHROMIUM_PATH to a Chromium or Chrome, or install one (`sudo apt-get install chromium`), ' +
  'or leave the browser tests out with `make check`.';

/**
 * Finds the browser of the tests: CHROMIUM_PATH, else Chromium or Chrome from PATH, else Debian's package where root may
 * install it.
 *
 * @returns the absolute path of the program
 * @throws when there is none and none can be installed; the message says what to do
 */
export async function findOrInstallChromium(): Promise<string> {
  const chosen = process.env.CHROMIUM_PATH;
  if (chosen !== undefined && chosen !== '') {
    if (isExecutable(chosen)) return chosen;
    throw new ServiceError(`CHROMIUM_PATH is ${chosen}, which is not a program that one can run. ${ADVICE}`);
  }
  const found = findOnPath(NAMES);
  if (found !== null) return found;
  if (!canInstall()) throw new ServiceError(`The browser tests need Chromium and there is none on PATH. ${ADVICE}`);
  try {
    await installPackage('chromium');
  } catch (error) {
    throw new ServiceError(`${(error as Error).message}\n${ADVICE}`, { cause: error });
  }
  const installed = findOnPath(NAMES);
  if (installed === null) throw new ServiceError(`The package chromium brought no program of that name. ${ADVICE}`);
  return installed;
}
