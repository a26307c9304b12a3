import {
  GraphQLError,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  parse,
} from 'graphql';
import { t } from 'tap';
import { coerceVariables } from '../../../src/http/documents/variables.ts';
import { RequestRefused } from '../../../src/http/errors/request-refused.ts';
import { createLarder } from '../../../src/index.ts';
import { InvalidValue } from '../../../src/pothos/invalid-value.ts';
import { entities } from '../../support/library.ts';
import { startServer } from '../../support/server.ts';
import { freshDatabase } from '../../support/services.ts';
import { bearer, JWT_SECRET } from '../../support/token.ts';
import { serveSchema } from '../graphql/support/serve-schema.ts';

const server = await startServer(t, { redis: null, env: { JWT_SECRET } });

const SECRET = 'a-secret-that-is-no-time';

t.test('a time that is none is told of in a variable as it is in a literal, and never shown', async (t) => {
  const said =
    'Expected a time of the years 0001 to 9999 in RFC 3339 with at most six digits of a second, such as "2026-01-02T03:04:05.000006Z".';
  for (const value of [SECRET, '2026-02-30T00:00:00Z', '2026-01-01', '0000-01-01T00:00:00Z', 5, true]) {
    const literal = await server.query(`{ events(startsAfter: ${JSON.stringify(value)}) { totalCount } }`);
    const variable = await server.query('query ($at: DateTime) { events(startsAfter: $at) { totalCount } }', {
      at: value,
    });
    t.ok(literal.errors?.[0]?.message.endsWith(said), `${value} in a literal`);
    t.ok(literal.errors?.[0]?.locations, 'with its place');
    t.equal(variable.errors?.[0]?.message, `Variable "$at": ${said}`);
    t.notMatch(literal.text + variable.text, SECRET);
  }
  const inside = await server.query(
    'mutation ($input: CreateEventInput!) { createEvent(input: $input) { event { id } } }',
    { input: { title: 'x', startsAt: SECRET } },
    bearer(),
  );
  t.equal(inside.errors?.[0]?.message, `Variable "$input" at .startsAt: ${said}`);
  for (const value of [{ time: SECRET }, [SECRET, SECRET]]) {
    const { errors, text } = await server.query('query ($at: DateTime) { events(startsAfter: $at) { totalCount } }', {
      at: value,
    });
    t.equal(errors?.[0]?.message, `Variable "$at": ${said}`);
    t.notMatch(text, SECRET);
  }
});

t.test('what a scalar of one’s own says is shown when it says that it may be', async (t) => {
  const scalar = (name: string, refuse: (value: unknown) => Error) =>
    new GraphQLScalarType({
      name,
      parseValue: (value) => {
        throw refuse(value);
      },
    });
  const types = [
    scalar('Careful', () => new InvalidValue('Expected a colour, such as "red".')),
    scalar('Plain', (value) => new TypeError(`${value} is no colour.`)),
    scalar('Graphql', (value) => new GraphQLError(`${value} is no colour.`)),
  ];
  const input = new GraphQLInputObjectType({
    name: 'Paint',
    fields: Object.fromEntries(types.map((type) => [type.name, { type }])),
  });
  const args = { paint: { type: input }, ...Object.fromEntries(types.map((type) => [type.name, { type }])) };
  const query = new GraphQLObjectType({ name: 'Query', fields: { x: { type: types[0] as GraphQLScalarType, args } } });
  const schema = new GraphQLSchema({ query });
  const errorsFor = (type: string, given: object) => {
    const [operation] = parse(`query ($v: ${type}) { x }`).definitions;
    if (operation?.kind !== 'OperationDefinition') throw new Error('It is an operation.');
    try {
      coerceVariables(schema, operation.variableDefinitions ?? [], { v: given });
    } catch (error) {
      if (error instanceof RequestRefused) return error.publicErrors().map(({ message }) => message);
      throw error;
    }
    return [];
  };
  const value = SECRET as unknown as object;
  t.same(errorsFor('Careful', value), ['Variable "$v": Expected a colour, such as "red".']);
  t.same(errorsFor('Plain', value), ['Variable "$v": Expected a value of the type Plain.']);
  t.same(errorsFor('Graphql', value), ['Variable "$v": Expected a value of the type Graphql.']);
  t.same(errorsFor('Paint', { Careful: SECRET, Plain: SECRET, Graphql: SECRET }), [
    'Variable "$v" at .Careful: Expected a colour, such as "red".',
    'Variable "$v" at .Plain: Expected a value of the type Plain.',
    'Variable "$v" at .Graphql: Expected a value of the type Graphql.',
  ]);
});

t.test('variables that are nested too deeply are refused, by whatever they would be read', async (t) => {
  const anything = new GraphQLScalarType({ name: 'Anything' });
  const nested: GraphQLInputObjectType = new GraphQLInputObjectType({
    name: 'Nested',
    fields: () => ({ in: { type: nested } }),
  });
  const read = {
    type: GraphQLInt,
    args: { anything: { type: anything }, nested: { type: nested } },
    resolve: () => 1,
  };
  const schema = new GraphQLSchema({ query: new GraphQLObjectType({ name: 'Query', fields: { read } }) });
  const larder = await createLarder({ entities, postgres: { url: (await freshDatabase(t)).url } });
  t.teardown(() => larder.close());
  const ask = await serveSchema(t, larder, schema);
  const deep = (name: string, depth: number) => `{"${name}":${'{"in":'.repeat(depth)}null${'}'.repeat(depth)}}`;
  const query = 'query ($anything: Anything, $nested: Nested) { read(anything: $anything, nested: $nested) }';
  for (const name of ['anything', 'nested', 'undeclared']) {
    t.same((await ask(query, deep(name, 99))).json(), { data: { read: 1 } }, name);
    for (const depth of [100, 9000]) {
      const answer = await ask(query, deep(name, depth));
      t.same([answer.statusCode, answer.json().errors?.[0]?.extensions], [200, { code: 'BAD_USER_INPUT' }]);
      t.match(answer.json().errors?.[0]?.message, /nested at most 100 deep/);
    }
  }
});
