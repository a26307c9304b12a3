import {
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isIntrospectionType,
  isObjectType,
} from 'graphql';
import { costText } from './cost.ts';
import { entriesOf } from './entries.ts';

/**
 * Adds to the description of each field what it costs, for GraphiQL and for readers of the printed schema.
 *
 * @param schema the schema, whose descriptions change
 * @returns the same schema
 */
export function describeCosts(schema: GraphQLSchema): GraphQLSchema {
  const types = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter((type) => !isIntrospectionType(type));
  const sized = types
    .flatMap((type) => Object.values(type.getFields()))
    .filter((field) => entriesOf(field) !== undefined);
  const pages = new Set<unknown>(sized.map((field) => getNullableType(field.type)));
  for (const type of types) {
    for (const field of Object.values(type.getFields())) {
      const cost = costText(field, isCompositeType(getNamedType(field.type)), pages.has(type));
      field.description = [field.description, cost].filter((part) => part != null).join(' ');
    }
  }
  return schema;
}
