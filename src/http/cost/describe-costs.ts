import { type GraphQLSchema, getNamedType, isCompositeType, isObjectType } from 'graphql';
import { costText } from './cost.ts';

/**
 * Adds to the description of each field what it costs, for GraphiQL and for readers of the printed schema.
 *
 * @param schema the schema, whose descriptions change
 * @returns the same schema
 */
export function describeCosts(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const cost = costText(field, isCompositeType(getNamedType(field.type)));
      field.description = [field.description, cost].filter((part) => part != null).join(' ');
    }
  }
  return schema;
}
