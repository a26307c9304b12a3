/**
 * Makes in a database what Larder needs there: the outbox of changes, and the functions that watch a table. It never makes, alters or
 * renames tables of one's own.
 *
 * @module
 */
export { MigrationError } from './locks.ts';
export { type MigrateOptions, migrate } from './migrate.ts';
