import { sql } from 'drizzle-orm';
import { pgTable, text } from 'drizzle-orm/pg-core';
import type { Sql } from 'postgres';
import { campaign as declaredCampaign } from '../../src/app/campaign/entity.ts';
import { brands } from '../../src/app/tables.ts';
import type { Entity } from '../../src/entity/definition.ts';
import { bigintText as id } from '../../src/postgres/column-types.ts';
import { createRepository } from '../../src/repository/cached-repository.ts';
import { entity } from '../../src/repository/entity.ts';
import type { Repository } from '../../src/repository/repository.ts';
import type { Storage } from '../../src/repository/storage.ts';

const campaignDefinition = declaredCampaign.define('Campaign');

/** A campaign as the next deploy knows it: with a subtitle, which Postgres derives from the title. */
export interface CampaignB extends Entity {
  readonly brandId: string;
  readonly title: string;
  readonly body: string;
  readonly subtitle: string | null;
}

const campaignsB = pgTable('campaigns', {
  id: id('id').primaryKey().generatedByDefaultAsIdentity(),
  brandId: id('brand_id')
    .notNull()
    .references(() => brands.id),
  title: text('title').notNull(),
  body: text('body').notNull().default(''),
  subtitle: text('subtitle').generatedAlwaysAs(sql`title`),
});

const campaignB = entity(campaignsB, {
  lists: { ofBrand: { parent: campaignsB.brandId } },
  rules: campaignDefinition.rules,
}).define('Campaign');

/**
 * Migrates for the next deploy, while the one before goes on.
 *
 * @param client the database
 */
export async function migrateToB(client: Sql): Promise<void> {
  await client`alter table campaigns add column subtitle text generated always as (title) stored`;
}

/**
 * @param storage where rows and bodies are
 * @returns the next deploy's repository of campaigns
 */
export function campaignRepositoryB(storage: Storage): Repository<CampaignB, 'all' | 'ofBrand'> {
  return createRepository(campaignB, storage);
}
