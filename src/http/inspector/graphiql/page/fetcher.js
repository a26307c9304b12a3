/* global GraphiQL */

import { addFailure, addRun, setInspection } from './runs.js';

/** The server shows what a request did, and what it may cost, only to those who ask. */
const ASKING = { 'x-inspect': '1', 'x-cost': '1' };

const post = GraphiQL.createFetcher({ url: 'graphql', enableIncrementalDelivery: false });

/** How often a query is run before it is timed: a document that has come three times is compiled. */
const PREPARING = 3;

/** How many runs are timed, unless they take longer than this in all. */
const TIMED = 10;
const TIMED_MS = 5000;

/** How the query is to be sent that GraphiQL is about to send: plainly, unless a button says otherwise. */
let asked = 'plain';

/**
 * Lets GraphiQL run its current tab.
 *
 * @param mode `cold` passes the caches by, `warm` sees to it that they are filled; a query is run several times then
 * @param run GraphiQL's own function, which calls the fetcher before it returns, or not at all
 */
export function runAs(mode, run) {
  asked = mode;
  run();
  asked = 'plain';
}

/** Sends what GraphiQL asks for, keeps the figures for the inspector, and hands the rest to the response pane. */
export async function fetcher(params, options) {
  const mode = asked;
  const own = new Map(Object.entries(options?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const headers = { ...ASKING, ...Object.fromEntries(own), ...(mode === 'cold' ? { 'x-cache': 'bypass' } : {}) };
  const send = () => post(params, { ...options, headers });
  const introspects = params.operationName === 'IntrospectionQuery';
  try {
    const { answer, primed, runs } = await (mode !== 'plain' && isQuery(params) ? timed(send) : once(send));
    keep(answer, { mode, introspects, declined: headers['x-inspect'] !== '1', primed, runs, key: keyOf(params) });
    return withoutFigures(answer, own.get('x-cost') === '1');
  } catch (error) {
    if (!introspects) addFailure();
    throw error;
  }
}

async function once(send) {
  return { answer: await send(), primed: 0, runs: 1 };
}

/**
 * Runs a query until its document is prepared and the caches hold what they may, then ten times. The answer is that of the run in the
 * middle (p50), and `primed` what the first of all missed. A query that is refused is not sent again.
 */
async function timed(send) {
  const first = await send();
  if (first.extensions?.dataFetching === undefined) return { answer: first, primed: 0, runs: 1 };
  for (let i = 1; i < PREPARING; i += 1) await send();
  const started = performance.now();
  const answers = [];
  do answers.push(await send());
  while (answers.length < TIMED && performance.now() - started < TIMED_MS);
  // One that was refused meanwhile, such as by a rate limit, is the answer.
  const refused = answers.find(({ extensions }) => extensions?.dataFetching === undefined);
  if (refused !== undefined) return { answer: refused, primed: 0, runs: 1 };
  answers.sort((a, b) => a.extensions.dataFetching.totalMs - b.extensions.dataFetching.totalMs);
  const answer = answers[Math.floor((answers.length - 1) / 2)];
  return { answer, primed: missesOf(first), runs: answers.length };
}

function keep({ data, extensions }, { mode, introspects, declined, primed, runs, key }) {
  const fetching = extensions?.dataFetching;
  if (fetching === undefined) {
    // A request that was refused tells nothing about the server's settings.
    if (data != null) setInspection(declined ? 'declined' : 'off');
    else if (!introspects) addFailure();
  } else if (introspects) setInspection('on');
  else {
    const through = mode === 'cold' ? 'cold' : 'cached';
    addRun({ mode: through, key, fetching, limit: extensions.cost?.limit, primed, runs });
  }
}

/** The answer as it would be had nobody asked for figures. */
function withoutFigures({ extensions = {}, ...answer }, costWanted) {
  const { dataFetching: _, cost, ...others } = extensions;
  const shown = costWanted && cost !== undefined ? { ...others, cost } : others;
  return Object.keys(shown).length === 0 ? answer : { ...answer, extensions: shown };
}

function missesOf({ extensions }) {
  return Object.values(extensions?.dataFetching?.cache ?? {}).reduce((total, { misses }) => total + misses, 0);
}

/**
 * Sending a query again is nobody's harm; a mutation would write again. What is sent is looked at, because the document that
 * GraphiQL hands over beside it may be that of a moment ago, before the last letters were typed.
 */
function isQuery({ query, operationName }) {
  const operations = GraphiQL.GraphQL.parse(query).definitions.filter(({ kind }) => kind === 'OperationDefinition');
  const chosen = operations.find(({ name }) => name?.value === operationName) ?? operations[0];
  return chosen?.operation === 'query';
}

function keyOf({ query, variables, operationName }) {
  return JSON.stringify([query, variables ?? {}, operationName ?? null]);
}
