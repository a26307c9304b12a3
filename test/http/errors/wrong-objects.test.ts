import {
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql';
import { t } from 'tap';
import { openLibrary } from '../../support/open-library.ts';
import { serveSchema } from '../graphql/support/serve-schema.ts';

const larder = await openLibrary(t, { libraries: 1, shelves: 1, books: 1, perShelf: 1 });

const fields = { name: { type: GraphQLString } };
const row = { name: 'ada@example.com', note: 'it cannot represent with value 7' };
const price = new GraphQLObjectType({ name: 'Price', isTypeOf: () => false, fields });
const animal = (name: string, resolveType: () => unknown) =>
  new GraphQLInterfaceType({ name, fields, resolveType: resolveType as () => string });
const cat = new GraphQLObjectType({ name: 'Cat', fields });

/** Types whose resolvers give what they cannot show, and what graphql-js says of it without the value. */
const WRONG: Readonly<Record<string, readonly [GraphQLOutputType, string]>> = {
  price: [price, 'Expected value of type \\"Price\\"'],
  names: [new GraphQLList(GraphQLString), 'Expected Iterable, but did not find one for field \\"Query.names\\".'],
  odd: [
    animal('Odd', () => 5),
    'Abstract type \\"Odd\\" must resolve to an Object type at runtime for field \\"Query.odd\\"',
  ],
  unknown: [
    animal('Unknown', () => 'Dog'),
    'Abstract type \\"Unknown\\" was resolved to a type \\"Dog\\" that does not exist inside the schema.',
  ],
  scalar: [
    animal('Scalar', () => 'String'),
    'Abstract type \\"Scalar\\" was resolved to a non-object type \\"String\\".',
  ],
  stranger: [
    animal('Stranger', () => 'Cat'),
    'Runtime Object type \\"Cat\\" is not a possible type for \\"Stranger\\".',
  ],
  old: [animal('Old', () => cat), 'Support for returning GraphQLObjectType from resolveType was removed'],
};

t.test('an object that is not of the type of its field is a fault of the server', async (t) => {
  const query = new GraphQLObjectType({
    name: 'Query',
    fields: Object.fromEntries(Object.entries(WRONG).map(([name, [type]]) => [name, { type, resolve: () => row }])),
  });
  const logged: string[] = [];
  const logger = { level: 'error', stream: { write: (line: string) => logged.push(line) } };
  const ask = await serveSchema(t, larder, new GraphQLSchema({ query, types: [cat] }), {}, logger);
  for (const [name, [, said]] of Object.entries(WRONG)) {
    logged.length = 0;
    const answer = await ask(`{ ${name} ${name === 'names' ? '' : '{ name }'} }`);
    t.match(answer.json(), {
      data: { [name]: null },
      errors: [{ path: [name], extensions: { code: 'INTERNAL_SERVER_ERROR', errorId: String } }],
    });
    t.notMatch(answer.body, /ada@|Abstract|Expected|Runtime|Support/);
    t.equal(logged.length, 1, name);
    t.ok(logged[0]?.includes(said), name);
    t.notMatch(logged[0], /ada@|represent|note/, 'nor is the value logged');
  }
});
