/**
 * Entities over tables of one's own, cached and batched. Reading and writing them needs nothing else. `larder/pothos` shows them in a
 * GraphQL schema.
 *
 * @module
 */
export type { Scope } from './bodies/scope.ts';
export type { RedisClientOptions } from './cache/redis/source.ts';
export { parseRedisUrl } from './cache/redis/url.ts';
export { type Clock, systemClock } from './clock.ts';
export { compositeId, compositeParts } from './entity/composite-id.ts';
export type { Entity } from './entity/definition.ts';
export { InvalidInput } from './entity/invalid-input.ts';
export { type TextRule, type WriteRules, withConstraints } from './entity/rules.ts';
export { createLarder } from './larder.ts';
export type { Larder } from './larder-face.ts';
export type { LarderLogger } from './larder-logger.ts';
export type {
  CacheOptions,
  LarderOptions,
  PostgresLimits,
  PostgresOptions,
  PostgresPlace,
  RedisPlace,
} from './larder-options.ts';
export type { Page, PageItem } from './lists/page.ts';
export type { PageNeeds, PageRequest, Position } from './lists/page-request.ts';
export * as ranges from './number-range.ts';
export { connectPostgres } from './postgres/client.ts';
export { bigintText, rfc3339, sqlTimestamp } from './postgres/column-types.ts';
export type { DrizzleTransaction } from './postgres/drizzle-session.ts';
export { ConstraintViolation, DatabaseUnavailable } from './postgres/errors.ts';
export { replicaTargetOf } from './postgres/replica-target.ts';
export type { PostgresClient } from './postgres/source.ts';
export { type Statement, statement } from './postgres/statement.ts';
export { parsePostgresUrl } from './postgres/url.ts';
export type { LarderContext, RequestOptions } from './repository/context.ts';
export type { Finding } from './repository/doctor.ts';
// Types that appear in the declarations of a project that exports its entities.
export {
  type DeclaredEntity,
  type Entities,
  type EntityOptions,
  type EntityTable,
  entity,
  type NewRowOf,
  type RepositoriesOf,
  type RowOf,
} from './repository/entity.ts';
export type { FindBy } from './repository/find-by.ts';
export {
  condition,
  type FiltersOf,
  type FilterValue,
  type ListFor,
  type ListName,
  type ListTypes,
  type OrdersOf,
  type ParentedOf,
} from './repository/list-options.ts';
export type { Repository } from './repository/repository.ts';
export type { Storage } from './repository/storage.ts';
export { type Written, write } from './repository/write.ts';
export type { Channels } from './trace/channels.ts';
export { VERSION } from './version.ts';
export { WrongValue } from './wrong-value.ts';
