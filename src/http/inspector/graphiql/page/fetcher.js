/* global GraphiQL */

import { addFailure, addRun, setInspection } from './runs.js';

/** The server shows what a request did, and what it may cost, only to those who ask. */
const ASKING = { 'x-inspect': '1', 'x-cost': '1' };

const post = GraphiQL.createFetcher({ url: 'graphql', enableIncrementalDelivery: false });

/** How the query is to be sent that GraphiQL is about to send: plainly, unless a button says otherwise. */
let asked = 'plain';

/**
 * Lets GraphiQL run its current tab.
 *
 * @param mode `cold` passes the caches by, `warm` sees to it that they are filled
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
    let answer = await send();
    let primed = 0;
    const misses = missesOf(answer);
    if (mode === 'warm' && misses > 0 && isQuery(params)) {
      primed = misses;
      answer = await send();
    }
    keep(answer, { mode, introspects, declined: headers['x-inspect'] !== '1', primed, key: keyOf(params) });
    return withoutFigures(answer, own.get('x-cost') === '1');
  } catch (error) {
    if (!introspects) addFailure();
    throw error;
  }
}

function keep({ data, extensions }, { mode, introspects, declined, primed, key }) {
  const fetching = extensions?.dataFetching;
  if (fetching === undefined) {
    // A request that was refused tells nothing about the server's settings.
    if (data != null) setInspection(declined ? 'declined' : 'off');
    else if (!introspects) addFailure();
  } else if (introspects) setInspection('on');
  else {
    const through = mode === 'cold' ? 'cold' : 'cached';
    addRun({ mode: through, key, fetching, limit: extensions.cost?.limit, primed });
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
 * Sending a query twice is nobody's harm; a mutation would write twice. What is sent is looked at, because the document that
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
