import type { GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import './types/brand.ts';
import './types/campaign.ts';
import './types/event.ts';
import './mutations/brand.ts';
import './mutations/campaign.ts';
import './mutations/campaign-links.ts';
import './mutations/event.ts';

/**
 * Builds the schema from every type and mutation that is imported above.
 *
 * @returns the executable schema
 */
export function buildGraphQLSchema(): GraphQLSchema {
  return builder.toSchema();
}
