import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { type ExecutionResult, execute, parse } from 'graphql';
import { t } from 'tap';
import { entities } from '../../src/app/entities.ts';
import { buildGraphQLSchema } from '../../src/app/schema.ts';
import { price } from '../../src/http/cost/cost.ts';
import { createPlans, type Plan } from '../../src/http/documents/plans.ts';
import { type PreparedOperation, prepareDocument, selectOperation } from '../../src/http/documents/prepare-document.ts';
import { selectedIn } from '../../src/http/documents/selected.ts';
import { coerceVariables } from '../../src/http/documents/variables.ts';
import { RequestRefused } from '../../src/http/errors/request-refused.ts';
import { createSplicer } from '../../src/http/splice/splice.ts';
import { createLarder } from '../../src/larder.ts';
import { makeData } from '../support/data.ts';
import { startServer } from '../support/server.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';
import { PointCount, withPointCount } from './count-points.ts';
import { type RandomOperation, randomOperation } from './random-operations.ts';

/** Documents that are compared in this process, and those that a server is asked for, six times each. */
const DOCUMENTS = 2000;
const SERVED = 40;

const server = await startServer(t, { redis: null, env: { JWT_SECRET } });
await makeData(server.sql, { brands: 3, campaigns: 12, events: 30, perCampaign: 5 });
await server.sql`select setval(pg_get_serial_sequence('brands', 'id'), 1000)`;
const larder = await createLarder({ entities, postgres: { url: server.database.url } });
t.teardown(() => larder.close());
const schema = buildGraphQLSchema();
const splice = createSplicer(schema);
const planOf = createPlans();
const seed = Number(process.env.DOCUMENT_SEED ?? randomInt(2 ** 31));
t.comment(`DOCUMENT_SEED=${seed}`);

/** What is compared of an answer: its data with the order of its keys, and where errors are, in any order. */
function seen({ data, errors = [] }: { data?: unknown; errors?: ExecutionResult['errors'] | undefined }): string {
  const places = errors.map(({ path, locations }) => JSON.stringify([path, locations])).toSorted();
  return JSON.stringify({ data, places }, null, 1);
}

const counts = new WeakMap<object, PointCount>();
const counting = withPointCount(buildGraphQLSchema(), (context) => counts.get(context) as PointCount);

/** The price of a plan beside what graphql-js brings when it runs the whole document. */
async function checkPrice({ query, variables }: RandomOperation, plan: Plan, coerced: Record<string, unknown>) {
  const contextValue = larder.createContext();
  const count = new PointCount();
  counts.set(contextValue, count);
  const { data, errors } = await execute({
    schema: counting,
    document: parse(query),
    variableValues: variables,
    contextValue,
  });
  // The type's name under another key beside its own: its resolver is not the schema's.
  const twice = JSON.stringify(data).match(/"kind":"\w+"/g)?.length ?? 0;
  const { cost } = price(selectedIn(schema, plan), coerced);
  const isExact = count.isFull && errors === undefined && twice === 0 && !/\bnodes?\(/.test(query);
  if (count.points > cost || (isExact && count.points !== cost)) {
    throw new Error(`Expected a price of ${count.points}${isExact ? '' : ' at least'}, got ${cost}, for ${query}`);
  }
  return isExact;
}

/** What graphql-js answers, without a server. */
async function reference({ query, variables }: RandomOperation): Promise<string> {
  const contextValue = larder.createContext();
  return seen(await execute({ schema, document: parse(query), variableValues: variables, contextValue }));
}

const written = async () => (await server.sql`select 1 from brands where name = 'written'`).length;

/** Each writes as much as the first one. */
async function inTurn(isMutation: boolean, runs: readonly (() => Promise<string>)[], query: string): Promise<void> {
  let first: readonly [string, number] | null = null;
  for (const [i, run] of runs.entries()) {
    const before = isMutation ? await written() : 0;
    const answer = await run();
    const writes = isMutation ? (await written()) - before : 0;
    first ??= [answer, writes];
    if (answer !== first[0] || writes !== first[1]) {
      throw new Error(
        `Run ${i} differs: ${writes} writes and ${answer}\nnot ${first[1]} and ${first[0]}\nfor ${query}`,
      );
    }
  }
}

/** Documents that are valid, with a check that few are not. */
async function overRandom(
  runs: number,
  check: (operation: RandomOperation, prepared: PreparedOperation) => Promise<void>,
): Promise<void> {
  let refused = 0;
  const property = fc.asyncProperty(fc.gen(), async (g) => {
    const operation = randomOperation(g, schema);
    let prepared: PreparedOperation;
    try {
      prepared = selectOperation(prepareDocument(schema, operation.query), null);
    } catch (error) {
      if (!(error instanceof RequestRefused)) throw error;
      refused += 1;
      // Another one is drawn in its place.
      return fc.pre(false);
    }
    await check(operation, prepared);
  });
  await fc.assert(property, { seed, numRuns: runs, maxSkipsPerRun: 1, endOnFailure: true });
  // Of few documents, more may be refused by chance.
  if (refused > runs * 0.2 + 10) throw new Error(`Of ${runs + refused} documents, ${refused} are not valid.`);
}

t.test('random documents are answered alike by graphql-js, as they were cut, and spliced', async (t) => {
  const figures = { spliced: 0, cut: 0, mutations: 0, priced: 0 };
  await overRandom(DOCUMENTS, async (operation, prepared) => {
    const definitions = prepared.definition.variableDefinitions ?? [];
    const { given, coerced } = coerceVariables(schema, definitions, operation.variables);
    const plan = planOf(prepared, coerced);
    const context = () => larder.createContext();
    const cut = async () =>
      seen(await execute({ schema, document: plan.document, variableValues: given, contextValue: context() }));
    const text = splice(plan);
    const spliced = async () => {
      const answer = await text?.(context(), coerced);
      // What it cannot tell, graphql-js does.
      if (answer == null) return cut();
      answer.written.text('}');
      figures.spliced += 1;
      return seen({ ...JSON.parse(String(answer.written.end())), errors: answer.errors });
    };
    const runs = [
      ...[() => reference(operation), cut],
      // The second time from what memory has of pages by then, and the third as it was kept.
      ...(text === null ? [] : [spliced, spliced, spliced]),
    ];
    await inTurn(prepared.isMutation, runs, JSON.stringify(operation));
    figures.priced += (await checkPrice(operation, plan, coerced)) ? 1 : 0;
    figures.cut += plan.isCut ? 1 : 0;
    figures.mutations += prepared.isMutation ? 1 : 0;
  });
  t.comment(JSON.stringify(figures));
  t.ok(figures.spliced > DOCUMENTS * 0.3, 'many are spliced, three times each');
  t.ok(figures.cut > DOCUMENTS * 0.4, 'many are cut');
  t.ok(figures.priced > DOCUMENTS * 0.1, 'the price of some is exactly what ran');
  t.ok(figures.mutations > DOCUMENTS * 0.1, 'some write');
});

t.test('a server answers the sixth time as the first time', async (t) => {
  await overRandom(SERVED, async (operation) => {
    const ask = async () => seen((await server.query(operation.query, operation.variables, bearer())) as never);
    const isMutation = operation.query.startsWith('mutation');
    await inTurn(
      isMutation,
      [() => reference(operation), ...Array.from({ length: 6 }, () => ask)],
      JSON.stringify(operation),
    );
  });
  t.pass('all of them');
});
