import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  getNamedType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { t } from 'tap';

const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
const objects = Object.values(schema.getTypeMap())
  .filter(isObjectType)
  .filter(({ name }) => !name.startsWith('__'));
const connections = objects.filter(({ name }) => name.endsWith('Connection'));

/** The type of a field in SDL; words instead when there is no such field. */
function typeOf(type: GraphQLObjectType | GraphQLInterfaceType | undefined, field: string): string {
  return String(type?.getFields()[field]?.type ?? `no field ${field}`);
}

function argumentsOf(field: GraphQLField<unknown, unknown> | undefined): Record<string, string> {
  return Object.fromEntries((field?.args ?? []).map(({ name, type }) => [name, String(type)]));
}

t.test('Global Object Identification', async (t) => {
  const node = schema.getType('Node') as GraphQLInterfaceType;
  const query = schema.getQueryType() as GraphQLObjectType;
  t.strictSame(Object.keys(node.getFields()), ['id'], 'section 2: Node has the field id and no other');
  t.equal(typeOf(node, 'id'), 'ID!');
  t.equal(typeOf(query, 'node'), 'Node', 'section 3: node is nullable');
  t.strictSame(argumentsOf(query.getFields().node), { id: 'ID!' });
  t.equal(typeOf(query, 'nodes'), '[Node]', 'section 5: nodes answers a list with gaps');
  t.strictSame(argumentsOf(query.getFields().nodes), { ids: '[ID!]!' });
  const entities = objects.filter((type) => type.getFields().id !== undefined);
  t.ok(entities.length >= 3);
  for (const type of entities) t.ok(type.getInterfaces().includes(node), `${type.name} is a Node`);
});

t.test('Cursor Connections: connection and edge types', async (t) => {
  t.ok(connections.length >= 3);
  for (const connection of connections) {
    const edge = getNamedType(connection.getFields().edges?.type);
    if (!isObjectType(edge)) throw new Error(`${connection.name}.edges is ${edge}`);
    t.equal(typeOf(connection, 'edges'), `[${edge.name}!]!`, `section 2.1.1: ${connection.name}.edges is a list`);
    t.equal(typeOf(connection, 'pageInfo'), 'PageInfo!', `section 2.1.2: ${connection.name}.pageInfo`);
    t.match(edge.name, /Edge$/, 'section 3');
    t.match(typeOf(edge, 'node'), /^\w+!?$/, `section 3.1.1: ${edge.name}.node is no list`);
    t.equal(typeOf(edge, 'cursor'), 'String!', `section 3.1.2: ${edge.name}.cursor is a string`);
  }
});

t.test('Cursor Connections: fields and their arguments', async (t) => {
  let fields = 0;
  for (const type of objects) {
    for (const field of Object.values(type.getFields())) {
      if (!getNamedType(field.type).name.endsWith('Connection')) continue;
      fields += 1;
      const { first, after, last, before } = argumentsOf(field);
      t.strictSame(
        { first, after, last, before },
        { first: 'Int', after: 'String', last: 'Int', before: 'String' },
        `section 4: ${type.name}.${field.name}`,
      );
      t.notOk(isNonNullType(field.type), `${type.name}.${field.name} can fail without its siblings`);
    }
  }
  t.ok(fields >= 6);
});

t.test('Cursor Connections: PageInfo', async (t) => {
  const pageInfo = schema.getType('PageInfo') as GraphQLObjectType;
  t.equal(typeOf(pageInfo, 'hasNextPage'), 'Boolean!', 'section 5.1');
  t.equal(typeOf(pageInfo, 'hasPreviousPage'), 'Boolean!');
  t.equal(typeOf(pageInfo, 'startCursor'), 'String', 'null on an empty page');
  t.equal(typeOf(pageInfo, 'endCursor'), 'String');
});
