import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { type GraphQLFieldResolver, graphql } from 'graphql';
import { t } from 'tap';
import { systemClock } from '../../src/clock.ts';
import { createDocuments } from '../../src/http/documents/documents.ts';
import { createPlans } from '../../src/http/documents/plans.ts';
import { createSplicer } from '../../src/http/splice/splice.ts';
import LarderPlugin, { type LarderContext } from '../../src/pothos/index.ts';
import type { Repositories } from '../support/library.ts';
import { openLibrary } from '../support/open-library.ts';

const larder = await openLibrary(t, { libraries: 1, shelves: 3, books: 1, perShelf: 1 });

/** Takes options as the plugins for directives and federation do, and wraps nothing. */
class Labels<Types extends SchemaTypes> extends BasePlugin<Types> {}

/** What a plugin that wraps resolvers was asked about. */
const seen: string[] = [];

/** Looks at the object before each field that has its option. */
class Watches<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    config: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    const parent = this.buildCache.getTypeConfig(config.parentType).pothosOptions as { readonly watched?: string };
    if (parent.watched === undefined) return resolver;
    return (object, ...rest) => {
      seen.push(`${config.parentType}.${config.name}`);
      return resolver(object, ...rest);
    };
  }
}

/** The fields that `Notes` was asked to wrap. */
const wrapped: string[] = [];

/** Notes each field that is resolved, without an option, as whoever measures them does. */
class Notes<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    { parentType, name }: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    wrapped.push(`${parentType}.${name}`);
    return (...given) => {
      seen.push(`${parentType}.${name}`);
      return resolver(...given);
    };
  }
}

SchemaBuilder.registerPlugin('notes' as never, Notes as never);
SchemaBuilder.registerPlugin('labels' as never, Labels as never);
SchemaBuilder.registerPlugin('watches' as never, Watches as never);

/** A schema in which all that the Relay plugin takes options for has the same. */
function schemaWith(plugins: readonly string[], options: object) {
  const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({
    plugins: [...(plugins as never[]), DataloaderPlugin, RelayPlugin, LarderPlugin],
    relay: {
      ...{ defaultConnectionTypeOptions: options, defaultEdgeTypeOptions: options, pageInfoTypeOptions: options },
      ...{ nodeTypeOptions: options, idFieldOptions: options, edgesFieldOptions: options, nodeFieldOptions: options },
      ...{ cursorFieldOptions: options, nodesOnConnection: options, pageInfoFieldOptions: options },
      ...{ hasNextPageFieldOptions: options, endCursorFieldOptions: options },
    } as never,
  });
  builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
  builder.queryType({ fields: (t) => ({ shelves: t.entityConnection('Shelf') }) });
  return builder.toSchema();
}

type Schema = ReturnType<typeof schemaWith>;

const ASKED = ['totalCount', 'nodes { id }', 'edges { cursor node { id } } pageInfo { hasNextPage endCursor }'];

/** Which entities' bodies a query asks caches or Postgres for. */
async function bodies(schema: Schema, source: string) {
  const contextValue = larder.createContext();
  const { errors } = await graphql({ schema, source, contextValue });
  t.same(errors, undefined);
  return Object.keys(contextValue.scope.trace.cache);
}

async function isSpliced(schema: Schema, source: string) {
  const operation = await createDocuments(schema, 10_000, systemClock)(source, null);
  return createSplicer(schema)(createPlans()(operation, {})) !== null;
}

t.test('options of other plugins that are data alone change nothing of what is read, nor how', async (t) => {
  const schema = schemaWith(['labels'], {
    label: 'internal',
    directives: { cacheControl: { maxAge: 5 }, tags: ['a', { name: 'b' }] },
  });
  for (const asked of ASKED) {
    t.same(await bodies(schema, `{ shelves { ${asked} } }`), [], `${asked}: the list alone`);
    t.ok(await isSpliced(schema, `{ shelves { ${asked} } }`), asked);
  }
  t.ok(await isSpliced(schema, '{ shelves { nodes { id title } } }'));
});

t.test('a function or an object of a class may look at all of it', async (t) => {
  for (const label of [() => 'internal', { of: { each: () => 'internal' } }, new Map()]) {
    const schema = schemaWith(['labels'], { label });
    t.same(await bodies(schema, '{ shelves { totalCount } }'), ['Shelf'], 'not the list alone');
    for (const asked of ASKED.slice(1)) t.notOk(await isSpliced(schema, `{ shelves { ${asked} } }`), asked);
  }
});

t.test('so may any option where a plugin wraps resolvers', async (t) => {
  const schema = schemaWith(['labels', 'watches'], { watched: 'yes' });
  await bodies(schema, '{ shelves { nodes { id } edges { cursor } pageInfo { hasNextPage } } }');
  t.same(
    new Set(seen),
    new Set([
      'ShelfConnection.nodes',
      'ShelfConnection.edges',
      'ShelfConnection.pageInfo',
      'ShelfEdge.cursor',
      'PageInfo.hasNextPage',
    ]),
  );
  t.notOk(await isSpliced(schema, '{ shelves { nodes { id } } }'));
  t.ok(await isSpliced(schemaWith(['labels', 'watches'], {}), '{ shelves { nodes { id } } }'), 'but not without one');
});

t.test('who wraps each resolver, without an option, is asked for the fields of pages, too', async (t) => {
  const source = '{ shelves { nodes { id } edges { node { title } } pageInfo { hasNextPage } totalCount } }';
  const fields = ['Query.shelves', 'ShelfConnection.nodes', 'ShelfConnection.edges', 'ShelfEdge.node', 'Shelf.title'];
  const ofPage = ['ShelfConnection.pageInfo', 'PageInfo.hasNextPage', 'ShelfConnection.totalCount', 'Shelf.id'];
  for (const plugins of [['notes'], ['watches', 'notes']]) {
    wrapped.length = 0;
    const schema = schemaWith(plugins, {});
    const ofPages = wrapped.filter((field) => /^(ShelfConnection|ShelfEdge|PageInfo)\./.test(field));
    t.same(ofPages, [...new Set(ofPages)], 'each is wrapped once');
    seen.length = 0;
    await bodies(schema, source);
    t.same(new Set(seen), new Set([...fields, ...ofPage]));
    t.notOk(await isSpliced(schema, '{ shelves { nodes { id } } }'));
  }
});
