import type { RepositoriesOf } from '../index.ts';
import { brand } from './brand/entity.ts';
import { campaign } from './campaign/entity.ts';
import { event } from './event/entity.ts';

/** The entities of the campaigns server. */
export const entities = {
  Brand: brand,
  Campaign: campaign,
  Event: event,
};

/** The repository of each entity, by its name. */
export type Repositories = RepositoriesOf<typeof entities>;
