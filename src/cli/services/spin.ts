import { canInstall, findOnPath, installPackage } from './install.ts';
import { ServiceError } from './service-error.ts';

/** The programs that search a model. Spin writes a program in C, which has to be compiled. */
export interface Spin {
  /** The path of Spin. */
  readonly spin: string;
  /** The path of a C compiler. */
  readonly compiler: string;
}

/** Debian's packages, in the order in which they are installed. */
const PACKAGES = ['spin', 'gcc', 'libc6-dev'];

/**
 * Finds Spin and a C compiler on PATH.
 *
 * @returns where they are, or `null` when one of them is missing
 */
function findSpin(): Spin | null {
  const spin = findOnPath(['spin']);
  const compiler = findOnPath(['gcc', 'cc']);
  return spin === null || compiler === null ? null : { spin, compiler };
}

/**
 * Finds Spin and a C compiler on PATH, else installs Debian's where root may.
 *
 * @returns where they are
 * @throws {ServiceError} when they are missing and cannot be installed, with what to do
 */
export async function findOrInstallSpin(): Promise<Spin> {
  const found = findSpin();
  if (found !== null) return found;
  if (canInstall()) for (const name of PACKAGES) await installPackage(name);
  const installed = findSpin();
  if (installed !== null) return installed;
  throw new ServiceError(
    `The model needs spin and a C compiler on PATH: \`sudo apt-get install ${PACKAGES.join(' ')}\` (Debian, Ubuntu).`,
  );
}
