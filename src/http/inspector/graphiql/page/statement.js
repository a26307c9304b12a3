/* global React */

import { copy } from './clipboard.js';
import { explain } from './explain.js';

const element = React.createElement;

/** A statement's SQL with its parameters, to read, to copy and to have explained. */
export function Statement({ event: { sql, parameters } }) {
  const [said, say] = React.useState('');
  const [plan, setPlan] = React.useState(null);
  const onCopy = async () => {
    say(
      (await copy(asText(sql, parameters)))
        ? 'Copied.'
        : 'The browser did not let it be copied: select the text instead.',
    );
  };
  const onExplain = async () => {
    const { lines, problem } = await explain(sql, parameters);
    setPlan(lines);
    say(problem ?? 'Postgres’ plan, with its guesses: the statement was not run again.');
  };
  const button = (label, onClick) => element('button', { type: 'button', className: 'inspector-run', onClick }, label);
  return element(
    React.Fragment,
    null,
    element(
      'div',
      { className: 'inspector-buttons' },
      button('Copy', onCopy),
      parameters === undefined
        ? element('span', { className: 'inspector-note' }, 'Parameters and EXPLAIN: in development only (NODE_ENV).')
        : button('Explain', onExplain),
      element('span', { className: 'inspector-note', role: 'status' }, said),
    ),
    plan !== null &&
      element('pre', { className: 'inspector-plan', tabIndex: 0, 'aria-label': 'Plan' }, plan.join('\n')),
    element('pre', { tabIndex: 0, 'aria-label': 'SQL' }, sql.trim()),
    parameters !== undefined && parameters.length > 0 && element(Parameters, { parameters }),
  );
}

function Parameters({ parameters }) {
  return element(
    'dl',
    { 'aria-label': 'Parameters' },
    parameters.map((value, i) =>
      element('div', { key: i }, element('dt', null, `$${i + 1}`), element('dd', null, literal(value))),
    ),
  );
}

/** The statement with its values below it, each on its line, in comments. */
function asText(sql, parameters = []) {
  const values = parameters.map((value, i) => `-- $${i + 1} = ${literal(value).replaceAll('\n', '\n--   ')}`);
  return [sql.trim(), ...values].join('\n');
}

/** A value as SQL writes it. */
function literal(value) {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
}
