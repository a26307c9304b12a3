import type { GraphQLSchema } from 'graphql';
import { describeCosts } from '../http/index.ts';
import { addBrandMutations } from './brand/mutations.ts';
import { addBrandType } from './brand/type.ts';
import { createBuilder } from './builder.ts';
import { addLinkMutations } from './campaign/link-mutations.ts';
import { addCampaignMutations } from './campaign/mutations.ts';
import { addCampaignType } from './campaign/type.ts';
import { addEventListArguments } from './event/list-arguments.ts';
import { addEventMutations } from './event/mutations.ts';
import { addEventType } from './event/type.ts';

/**
 * Builds the schema of the campaigns server.
 *
 * @returns the executable schema; each field's description says what it costs
 */
export function buildGraphQLSchema(): GraphQLSchema {
  const builder = createBuilder();
  const eventListArguments = addEventListArguments(builder);
  const brand = addBrandType(builder);
  const campaign = addCampaignType(builder, eventListArguments);
  const event = addEventType(builder, eventListArguments);
  addBrandMutations(builder, brand);
  addCampaignMutations(builder, campaign);
  addEventMutations(builder, event);
  addLinkMutations(builder, campaign, event);
  return describeCosts(builder.toSchema());
}
