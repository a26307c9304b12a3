import { createRepository, type Storage } from '../repository/cached-repository.ts';
import { brandDefinition } from './brand.ts';
import { campaignDefinition } from './campaign.ts';
import { createCampaignLinks } from './campaign-links.ts';
import { eventDefinition } from './event.ts';

/** The repositories of the domain: one for each entity, and the links between them. */
export type Repositories = ReturnType<typeof createRepositories>;

/**
 * @param storage where rows and bodies are
 * @returns a repository for each entity, and the links between them
 */
export function createRepositories(storage: Storage) {
  return {
    brand: createRepository(brandDefinition, storage),
    campaign: createRepository(campaignDefinition, storage),
    event: createRepository(eventDefinition, storage),
    campaignLinks: createCampaignLinks(storage),
  };
}
