import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { graphql } from 'graphql';
import { t } from 'tap';
import type { PageRequest } from '../../src/lists/page-request.ts';
import LarderPlugin, { type LarderContext } from '../../src/pothos/index.ts';
import type { Repositories } from '../support/library.ts';
import { openLibrary } from '../support/open-library.ts';

const larder = await openLibrary(t, { libraries: 2, shelves: 4, books: 1, perShelf: 1 });

const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({
  plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
});
builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
builder.queryType({
  fields: (t) => {
    /** What somebody may answer whom no compiler tells. */
    const shelves = (source: object) => t.entityConnection('Shelf', { source: () => source as never });
    return {
      all: shelves({ list: 'all', order: 'ID' }),
      allOf: shelves({ list: 'all', parent: '1', order: 'ID' }),
      allOfNone: shelves({ list: 'all', parent: null, order: 'ID' }),
      own: shelves({ list: 'inLibrary', parent: '1', order: 'ID' }),
      ownOfNone: shelves({ list: 'inLibrary', parent: null, order: 'ID' }),
      ownOfWhom: shelves({ list: 'inLibrary', order: 'ID' }),
      ownOfNobody: shelves({ list: 'inLibrary', parent: undefined, order: 'ID' }),
      misspelt: shelves({ list: 'inLibrary', parent: '1', order: 'ID', filter: { title: 'Shelf 2' } }),
      unknown: shelves({ list: 'inLibary', parent: '1', order: 'ID' }),
    };
  },
});
const schema = builder.toSchema();

const ask = (source: string) => graphql({ schema, source, contextValue: larder.createContext() });

/** What the error says before it names the page, by the field that gets it. */
const WRONG: Readonly<Record<string, string>> = {
  allOf: 'Shelf.all: expected a list that has a parent, since one is named, got one without.',
  ownOfWhom: 'Shelf.inLibrary: expected a parent, or null for an empty page, got undefined.',
  ownOfNobody: 'Shelf.inLibrary: expected a parent, or null for an empty page, got undefined.',
  misspelt: 'Shelf.inLibrary: expected a source to answer list, parent, order, direction, filters, got filter.',
};

for (const [field, says] of Object.entries(WRONG)) {
  t.test(`a source is refused: ${field}`, async (t) => {
    const { data, errors = [] } = await ask(
      `{ ${field}(after: null) { nodes { title } totalCount } own { nodes { title } } all { totalCount } }`,
    );
    t.same(data, {
      [field]: null,
      own: { nodes: [{ title: 'Shelf 2' }, { title: 'Shelf 4' }] },
      all: { totalCount: 4 },
    });
    t.equal(errors.length, 1, 'beside others of the same list, which are answered');
    t.same(errors[0]?.path, [field]);
    t.equal(errors[0]?.message.replace(/ See docs\/your-tables\.md#lists-and-orders\.$/, ''), says);
  });
}

t.test('a list that is not there is named', async (t) => {
  const { errors } = await ask('{ unknown(after: "x") { totalCount } }');
  t.match(errors, [{ message: 'Shelf has no list inLibary', path: ['unknown'] }]);
});

t.test('a parent that is null names nothing', async (t) => {
  const page = '{ nodes { title } totalCount }';
  const { data, errors } = await ask(`{ allOfNone ${page} ownOfNone ${page} }`);
  t.same(errors, undefined);
  t.same(data, { allOfNone: { nodes: [], totalCount: 0 }, ownOfNone: { nodes: [], totalCount: 0 } });
});

t.test('a repository refuses the same', async (t) => {
  const { Shelf } = larder.repositories;
  const page: PageRequest = {
    ...{ order: 'ID', direction: 'ASC', limit: 10, backward: false },
    needs: { rows: true, entities: false, positions: false, total: false, flags: false },
  };
  await t.rejects(Shelf.list('all', [page, { ...page, parent: '1' }]), {
    message: /^Shelf\.all: expected a list that/,
  });
  await t.rejects(Shelf.list('inLibrary', [page]), { message: /^Shelf\.inLibrary: expected a parent/ });
  const sideways = { ...page, direction: 'desc' as 'DESC' };
  await t.rejects(Shelf.list('all', [sideways]), { message: 'Shelf.all has no direction desc' });
  const [own, ofNone] = await Shelf.list('inLibrary', [
    { ...page, parent: '1' },
    { ...page, parent: null },
  ]);
  t.same([own?.items.length, ofNone?.items.length], [2, 0]);
  const [all, allOfNone] = await Shelf.list('all', [page, { ...page, parent: null }]);
  t.same([all?.items.length, allOfNone?.items.length], [4, 0], 'not everybody’s');
});
