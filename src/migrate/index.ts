/**
 * Makes in a database what Larder needs there: the outbox of changes, and the functions that watch a table. Tables of one's own are never
 * made, altered or renamed.
 *
 * @module
 */
export { MigrationError } from './locks.ts';
export { type MigrateOptions, migrate } from './migrate.ts';
