/**
 * Entities over tables of one's own, cached and batched. Nothing else is needed to read and write them; `larder/pothos` shows them in
 * a GraphQL schema.
 *
 * @module
 */

export { InvalidInput } from './entity/invalid-input.ts';
export {
  type CacheOptions,
  createLarder,
  type Larder,
  type LarderOptions,
  type PostgresOptions,
} from './larder.ts';
export type { LarderLogger } from './larder-logger.ts';
export { bigintText, rfc3339 } from './postgres/column-types.ts';
export type { DrizzleTransaction } from './postgres/drizzle-session.ts';
export { ConstraintViolation, DatabaseUnavailable } from './postgres/errors.ts';
export type { Repository } from './repository/cached-repository.ts';
export type { LarderContext } from './repository/context.ts';
export { type EntityOptions, type EntityTable, entity, type RepositoriesOf, type RowOf } from './repository/entity.ts';
