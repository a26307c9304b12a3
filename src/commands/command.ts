import { realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import postgres from 'postgres';
import { reasonOf } from '../reason-of.ts';
import { WrongValue } from '../wrong-value.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<T extends Options> = ReturnType<typeof parseArgs<{ options: T; allowPositionals: true }>>['values'];

/** A command of the terminal. */
export interface Command<T extends Options> {
  /** What `--help` prints. */
  readonly help: string;
  /** The options, as `node:util` parses them. `--help` is added to them. */
  readonly options: T;
  /** Errors that the user can solve, and whose messages say how. They are shown without a stack. */
  readonly errors: readonly (abstract new (
    ...args: never[]
  ) => Error)[];
  /**
   * Runs the command.
   *
   * @param values the options that were given
   * @param positionals the other arguments
   * @throws {UsageError} when the arguments make no sense
   */
  run(values: Values<T>, positionals: readonly string[]): Promise<void>;
}

/** The arguments of a command are wrong. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/**
 * @param words arguments beside those that a command takes
 * @throws {UsageError} when there are any
 */
export function expectNoMore(words: readonly string[]): void {
  if (words.length > 0) throw new UsageError(`Unexpected argument: ${words.join(' ')}`);
}

/**
 * Distinguishes a file that was started from one that was imported.
 *
 * @param moduleUrl the file's `import.meta.url`
 * @returns whether the process was started with this file
 */
export function isStarted(moduleUrl: string): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(moduleUrl);
}

/**
 * Runs a command and sets the exit code: 0 for success, 1 for a failure, 2 for wrong arguments. Failures go to stderr.
 *
 * @param command the command
 * @param args its arguments; those of the process when they are left out
 */
export async function runCommand<T extends Options>(
  command: Command<T>,
  args: string[] = process.argv.slice(2),
): Promise<void> {
  try {
    if (args.includes('--help') || args.includes('-h')) {
      process.stdout.write(command.help);
      return;
    }
    const { values, positionals } = parseArgs({
      args: withIds(args),
      options: command.options,
      allowPositionals: true,
    });
    await command.run(values, positionals);
  } catch (error) {
    const wrongUse = error instanceof UsageError || codeOf(error).startsWith('ERR_PARSE_ARGS');
    process.exitCode = wrongUse ? 2 : 1;
    process.stderr.write(
      `${wrongUse ? `${reasonOf(error)}\n\n${command.help.trimEnd()}` : explain(error, command.errors)}\n`,
    );
  }
}

/**
 * Lets signals end the process at once, with the exit code that a shell gives to such an end. The first process of a container would not
 * hear them otherwise.
 */
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
}

/** An id may be a number below zero. It is no option, and what follows it is none either. */
function withIds(args: readonly string[]): string[] {
  const at = args.findIndex((arg) => arg === '--' || /^-\d/.test(arg));
  return at === -1 || args[at] === '--' ? [...args] : args.toSpliced(at, 0, '--');
}

/**
 * Reads an option that is a number.
 *
 * @param name the option, for the message
 * @param text its value
 * @param min the smallest number allowed
 * @returns the number
 * @throws {UsageError} when the text is no whole number, or one that is too small or too big
 */
export function parseWholeNumber(name: string, text: string, min: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= 2 ** 31 - 1) return value;
  throw new UsageError(`--${name} ${text}: expected a whole number of at least ${min}.`);
}

const UNREACHABLE = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'CONNECT_TIMEOUT', 'CONNECTION_CLOSED'];

/** What to do about an error code of Postgres. */
const NEXT_STEPS: Readonly<Record<string, string>> = {
  '28000': 'Correct the user in DATABASE_URL, or allow it to connect.',
  '28P01': 'Correct the user or the password in DATABASE_URL.',
  '3D000': 'Create the database, or correct its name in DATABASE_URL.',
  '42501': 'Grant this right to the user in DATABASE_URL, or use another user.',
  '42P01': 'Migrate the database first: npx larder migrate, or here npm run db:migrate',
  '53100': 'Make room on the disk of Postgres, then try again.',
};

function explain(error: unknown, expected: Command<Options>['errors']): string {
  if ([WrongValue, ...expected].some((type) => error instanceof type)) return reasonOf(error);
  if (UNREACHABLE.includes(codeOf(error))) {
    return `Postgres cannot be reached (${reasonOf(error)}).\nStart it, or correct DATABASE_URL, then try again.`;
  }
  if (error instanceof postgres.PostgresError) {
    const next = NEXT_STEPS[error.code];
    return `Postgres says: ${error.message} (${error.code})${next === undefined ? '' : `\n${next}`}`;
  }
  // Nobody foresaw this error, so its stack helps.
  return error instanceof Error && error.stack !== undefined ? error.stack : String(error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
