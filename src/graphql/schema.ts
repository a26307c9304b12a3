import { type GraphQLSchema, isObjectType } from 'graphql';
import { builder } from './builder.ts';
import { readProperty } from './property.ts';
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
 * @returns the executable schema; each field's description says what it costs
 */
export function buildGraphQLSchema(): GraphQLSchema {
  const schema = builder.toSchema();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      readProperty(field);
      const multiplies = typeof field.extensions.complexity === 'function';
      const cost = multiplies ? 'Cost: 1, and what is selected in it times the size of the page.' : 'Cost: 1.';
      field.description = [field.description, cost].filter((part) => part != null).join(' ');
    }
  }
  return schema;
}
