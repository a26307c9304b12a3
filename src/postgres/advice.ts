/** A pooler's message about a setting, or a prepared statement, that it does not keep. */
const NOT_KEPT =
  'If that is a pooler of transactions in front of Postgres, DATABASE_URL needs pgbouncer=true, without prepared_statements where it keeps none (docs/operations.md).';

/** What to do about an error of Postgres, by its class or its code. */
const ADVICE: Record<string, string> = {
  '42P01': 'The database is not migrated: run node dist/cli/migrate.js, or npm run db:migrate.',
  '42883': 'The database is not migrated: run node dist/cli/migrate.js, or npm run db:migrate.',
  '42703': 'The database is migrated for another version: run node dist/cli/migrate.js, or start that version.',
  '08P01': NOT_KEPT,
  '26000': NOT_KEPT,
  '42P05': NOT_KEPT,
  '42501': 'The role lacks rights: docs/operations.md lists those that Larder needs.',
  '25006': 'Postgres is read-only: DATABASE_URL must lead to a primary that takes writes.',
};

/**
 * Adds advice to an error of Postgres.
 *
 * @param error what was thrown
 * @returns its message, with what to do where that is known
 */
export function withPostgresAdvice(error: Error): string {
  const code = 'code' in error ? String(error.code) : (/\(([0-9A-Z]{5})\)/.exec(error.message)?.[1] ?? '');
  const advice = ADVICE[code];
  if (advice === undefined) return error.message;
  return `${error.message.replace(/\.?$/, '.')} ${advice}`;
}
