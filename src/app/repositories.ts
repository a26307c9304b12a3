import { createRepository, type Storage } from '../repository/cached-repository.ts';
import { brandDefinition } from './brand/entity.ts';
import { campaignDefinition } from './campaign/entity.ts';
import { createCampaignLinks } from './campaign/links.ts';
import { eventDefinition } from './event/entity.ts';

/** A repository for each entity, by the entity's name. */
export type Repositories = ReturnType<typeof createRepositories>;

/**
 * @param storage where rows and bodies are
 * @returns a repository for each entity; that of campaigns also has what links events to them
 */
export function createRepositories(storage: Storage) {
  return {
    Brand: createRepository(brandDefinition, storage),
    Campaign: { ...createRepository(campaignDefinition, storage), ...createCampaignLinks(storage) },
    Event: createRepository(eventDefinition, storage),
  };
}
