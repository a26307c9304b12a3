import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import LarderPlugin, { type LarderContext, parseDateTime } from '../pothos/index.ts';
import type { Repositories } from './entities.ts';

interface UserTypes {
  Context: LarderContext<Repositories>;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: string; Output: string };
  };
}

/** The types from which Pothos infers fields and arguments. */
export type SchemaTypes = PothosSchemaTypes.ExtendDefaultTypes<UserTypes>;

/** The builder of the campaigns' schema. */
export type Builder = PothosSchemaTypes.SchemaBuilder<SchemaTypes>;

/** @returns a builder that has the roots and the scalars, which belong to no entity */
export function createBuilder(): Builder {
  const builder = new SchemaBuilder<UserTypes>({
    plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
    relay: { cursorType: 'String', clientMutationId: 'optional' },
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
    parseValue: parseDateTime,
  });
  return builder;
}
