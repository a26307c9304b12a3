import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { GraphQLError } from 'graphql';
import type { GraphQLContext } from './context.ts';
import { parseDateTime } from './date-time.ts';
import { PROPERTY } from './property.ts';

interface UserTypes {
  Context: GraphQLContext;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: string; Output: string };
  };
}

/** The types that Pothos infers fields and arguments from. */
export type SchemaTypes = PothosSchemaTypes.ExtendDefaultTypes<UserTypes>;

/** The one schema builder; modules under `types` add to it. */
export const builder = new SchemaBuilder<UserTypes>({
  plugins: [ComplexityPlugin, DataloaderPlugin, RelayPlugin],
  // The plugin only calculates (cost.ts). The lists inside a connection do not multiply: the connection has already.
  complexity: { disabled: true, defaultComplexity: 1, defaultListMultiplier: 1 },
  relay: {
    // `node` and `nodes` are our own (node.ts): here a bad id is `null` in its own place, not an error for all.
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    edgesFieldOptions: { nullable: false, extensions: PROPERTY },
    nodeFieldOptions: { nullable: false, extensions: PROPERTY },
    pageInfoFieldOptions: { extensions: PROPERTY },
    nodesOnConnection: { extensions: PROPERTY },
    cursorType: 'String',
    clientMutationId: 'optional',
  },
});

builder.queryType({ description: 'Everything that can be read.' });
builder.mutationType({
  description:
    'Everything that can be written, by bearers of a token with the scope `write`. One mutation runs after the other.',
});

builder.scalarType('DateTime', {
  description:
    'A time in RFC 3339, in the years 0001 to 9999, with at most six digits of a second. Answers are in UTC: `2026-01-02T03:04:05.000006Z`.',
  serialize: (value) => value,
  parseValue: (value) => {
    if (typeof value !== 'string') throw new GraphQLError('Expected a time as a string in RFC 3339.');
    return parseDateTime(value);
  },
});
