import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canInstall, findOnPath, installPackage } from '../../src/cli/services/install.ts';

/** A certificate and its key, in files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority that was made for a test. */
export interface Authority extends Certificate {
  /**
   * @param name the common name, and the name of the files
   * @param names what it is for, such as `DNS:localhost,IP:127.0.0.1`; none for a client
   * @returns a certificate that the authority has signed
   */
  issue(name: string, names?: string): Certificate;
}

/**
 * Makes an authority.
 *
 * @param directory where its files go
 * @param name its name
 * @returns the authority
 */
export async function createAuthority(directory: string, name: string): Promise<Authority> {
  if (findOnPath(['openssl']) === null && canInstall()) await installPackage('openssl');
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const fileOf = (file: string, ending: string) => join(directory, `${file}.${ending}`);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const own = { cert: fileOf(name, 'crt'), key: fileOf(name, 'key') };
  openssl('req', '-x509', ...newKey, '-keyout', own.key, '-out', own.cert, '-days', '2', '-subj', `/CN=${name}`);
  return {
    ...own,
    issue(subject, names) {
      const made = { cert: fileOf(subject, 'crt'), key: fileOf(subject, 'key') };
      const request = fileOf(subject, 'csr');
      const extensions = fileOf(subject, 'ext');
      writeFileSync(extensions, names === undefined ? 'basicConstraints=CA:FALSE\n' : `subjectAltName=${names}\n`);
      openssl('req', ...newKey, '-keyout', made.key, '-out', request, '-subj', `/CN=${subject}`);
      const signing = ['-CA', own.cert, '-CAkey', own.key, '-CAcreateserial', '-days', '2', '-extfile', extensions];
      openssl('x509', '-req', '-in', request, ...signing, '-out', made.cert);
      return made;
    },
  };
}
