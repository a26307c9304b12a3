import { readFileSync } from 'node:fs';
import { WrongValue } from '../../index.ts';

/** The settings that may come from a file. Orchestrators mount secrets as files, and the environment of a process leaks easily. */
export const SECRETS = ['DATABASE_URL', 'DATABASE_REPLICA_URLS', 'REDIS_URL', 'JWT_SECRET', 'JWT_PUBLIC_KEY'] as const;

/**
 * Reads secrets from the files that variables such as `DATABASE_URL_FILE` name.
 *
 * @param env the variables of the process
 * @returns the same with the contents of the files in place of their names, without line breaks at the end
 * @throws {WrongValue} naming a file that cannot be read or is empty, and a secret that is given twice
 */
export function withSecretFiles(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const result = { ...env };
  for (const name of SECRETS) {
    const variable = `${name}_FILE`;
    const file = env[variable];
    if (file === undefined || file === '') continue;
    if (env[name] !== undefined && env[name] !== '') {
      throw new WrongValue(`${name} and ${variable} are both set: unset one of them`);
    }
    const text = read(variable, file).replace(/[\r\n]+$/, '');
    if (text === '') throw new WrongValue(`${variable}: ${file} is empty`);
    result[name] = text;
    delete result[variable];
  }
  return result;
}

function read(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new WrongValue(`${variable} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
