import { Redis } from 'ioredis';
import type { Sql } from 'postgres';
import type { BrandRow, CampaignRow, EventRow } from './rows.ts';
import { settings } from './settings.ts';

/** Reads single entities by id: from Redis, else from Postgres. */
export interface Entities<Row> {
  get(id: string): Promise<Row | null>;
  /** One MGET, and one SELECT for what Redis does not hold. */
  getAll(ids: readonly string[]): Promise<(Row | null)[]>;
  /** Drops what Redis holds, after a write. */
  forget(id: string): Promise<void>;
}

/** The proof of concept's cache: each entity as JSON under `Campaign-1`, read through, dropped when it is written. */
export function openEntities(sql: Sql, redisUrl: string) {
  const redis = new Redis(redisUrl);
  const entities = <Row extends { readonly id: string }>(
    name: string,
    load: (ids: readonly string[]) => Promise<Row[]>,
  ): Entities<Row> => {
    const key = (id: string) => `${name}-${id}`;
    const fill = async (ids: readonly string[]): Promise<Map<string, Row>> => {
      const rows = await load(ids);
      const pipeline = redis.pipeline();
      for (const row of rows) pipeline.set(key(row.id), JSON.stringify(row), 'EX', settings.ttlSeconds);
      await pipeline.exec();
      return new Map(rows.map((row) => [row.id, row]));
    };
    return {
      get: async (id) => {
        const held = await redis.get(key(id));
        if (held !== null) return JSON.parse(held) as Row;
        return (await fill([id])).get(id) ?? null;
      },
      getAll: async (ids) => {
        if (ids.length === 0) return [];
        const held = (await redis.mget(ids.map(key))).map((text) => (text === null ? null : (JSON.parse(text) as Row)));
        const missing = ids.filter((_id, i) => held[i] === null);
        if (missing.length === 0) return held;
        const filled = await fill([...new Set(missing)]);
        return ids.map((id, i) => held[i] ?? filled.get(id) ?? null);
      },
      forget: async (id) => {
        await redis.del(key(id));
      },
    };
  };
  return {
    brand: entities<BrandRow>('Brand', (ids) => sql<BrandRow[]>`select id, name from brands where id = any(${ids})`),
    campaign: entities<CampaignRow>(
      'Campaign',
      (ids) => sql<CampaignRow[]>`select id, brand_id, title, body from campaigns where id = any(${ids})`,
    ),
    event: entities<EventRow>(
      'Event',
      (ids) => sql<EventRow[]>`select id, title, body, starts_at from events where id = any(${ids})`,
    ),
  };
}
