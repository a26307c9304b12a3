import {
  GraphQLError,
  GraphQLInputObjectType,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  parse,
} from 'graphql';
import { t } from 'tap';
import { coerceVariables } from '../../../src/http/documents/variables.ts';
import { RequestRefused } from '../../../src/http/errors/request-refused.ts';
import { InvalidValue } from '../../../src/pothos/invalid-value.ts';
import { startServer } from '../../support/server.ts';
import { bearer, JWT_SECRET } from '../../support/token.ts';

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
