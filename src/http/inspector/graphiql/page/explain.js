/**
 * Asks the server how Postgres would run a statement that an event showed.
 *
 * @param sql the statement
 * @param parameters its values
 * @returns `{lines}` of the plan, or `{lines: null, problem}` with what to tell the reader
 */
export async function explain(sql, parameters) {
  try {
    const response = await fetch('graphiql/explain', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-inspect': '1' },
      body: JSON.stringify({ sql, parameters }),
    });
    const { lines = null, errors } = await response.json();
    if (lines !== null) return { lines };
    return { lines, problem: errors?.[0]?.message ?? `The server answered ${response.status} and no plan.` };
  } catch {
    return { lines: null, problem: 'The server did not answer.' };
  }
}
