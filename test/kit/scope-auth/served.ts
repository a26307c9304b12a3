import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import Fastify from 'fastify';
import { type GraphQLSchema, graphql } from 'graphql';
import type { Test } from 'tap';
import larderFastify, { type LarderFastifyOptions } from '../../../src/http/index.ts';
import LarderPlugin, { type LarderContext } from '../../../src/pothos/index.ts';
import type { Repositories } from '../../support/library.ts';

/** Who asks. */
export interface Asking {
  readonly staff: boolean;
  readonly admin: boolean;
}

/** The types of a builder whose scopes are who asks. */
export interface Types {
  Context: LarderContext<Repositories> & Asking;
  AuthScopes: Asking;
  DefaultAuthStrategy: 'all' | 'any';
}

type Options = Partial<PothosSchemaTypes.SchemaBuilderOptions<PothosSchemaTypes.ExtendDefaultTypes<Types>>>;

/**
 * @param scopeAuth further options of scope-auth
 * @param relay options of the Relay plugin
 * @returns a builder with scope-auth and Larder
 */
export function makeBuilder(
  scopeAuth: Partial<NonNullable<Options['scopeAuth']>> = {},
  relay: NonNullable<Options['relay']> = {},
) {
  return new SchemaBuilder<Types>({
    plugins: [ScopeAuthPlugin, RelayPlugin, DataloaderPlugin, LarderPlugin],
    scopeAuth: { authScopes: ({ staff, admin }) => ({ staff, admin }), ...scopeAuth },
    relay,
  });
}

/** What a page says of its entries, each way by which it says it. */
export const SAID = [
  'totalCount',
  'nodes { id }',
  'nodes { __typename }',
  'edges { cursor }',
  'edges { __typename }',
  'edges { node { id } }',
  'pageInfo { startCursor }',
  'pageInfo { endCursor }',
  'pageInfo { hasNextPage }',
  'pageInfo { hasPreviousPage }',
];

/**
 * Serves a schema, until the test ends.
 *
 * @param t the test that it is for
 * @param larder the Larder under it
 * @param schema the schema
 * @returns asks any GraphQL server, and Larder's often enough to execute the document in each of its ways: who asks and others in turn. It
 *   gives the data and the errors for who asks, and the codes of those of Larder's
 */
export async function served(t: Test, larder: LarderFastifyOptions['larder'], schema: GraphQLSchema) {
  const app = Fastify();
  t.teardown(() => app.close());
  await app.register(larderFastify, {
    larder,
    schema,
    context: ({ headers }) => ({ staff: headers['x-staff'] === 'true', admin: headers['x-admin'] === 'true' }),
    limits: { maxEventLoopDelayMs: 0 },
  });
  return async (source: string, staff = false, admin = false) => {
    const answer = async (asking: Asking) => {
      const contextValue = Object.assign(larder.createContext(), asking);
      const { data, errors = [] } = await graphql({ schema, source, contextValue });
      return { data: JSON.parse(JSON.stringify(data)), errors };
    };
    const asked = [
      { staff, admin },
      { staff: !staff, admin },
    ];
    const answers = await Promise.all(asked.map(answer));
    const codes = new Set<unknown>();
    for (let i = 0; i < 6; i += 1) {
      for (const [j, expected] of answers.entries()) {
        const headers = { 'x-staff': String(asked[j]?.staff), 'x-admin': String(admin) };
        const response = await app.inject({ method: 'POST', url: '/graphql', headers, payload: { query: source } });
        const { data, errors = [] } = response.json();
        t.same(data, expected.data, source);
        // Two errors may make the same object null. Not every executor tells both.
        t.equal(errors.length > 0, expected.errors.length > 0, source);
        if (j === 0) for (const { extensions } of errors) codes.add(extensions.code);
      }
    }
    return { ...(answers[0] as (typeof answers)[number]), codes };
  };
}
