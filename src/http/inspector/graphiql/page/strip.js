/* global React */

import { figuresOf, figureTexts } from './figures.js';

const element = React.createElement;

/** The figures of the last run in one line, and the buttons. */
export function Strip({ runs, open, toggle, startable, onToggle, onRun }) {
  const figures = runs.latest === null ? null : figuresOf(runs.latest);
  const repeated = [...(figures?.repeated ?? [])];
  const runButton = (mode, label, title) =>
    // Not `disabled`, which would take the focus away from a button while its query runs.
    element(
      'button',
      { type: 'button', className: 'inspector-run', title, 'aria-disabled': !startable, onClick: () => onRun(mode) },
      label,
    );
  return element(
    'div',
    { className: repeated.length > 0 ? 'inspector-strip inspector-strip-amber' : 'inspector-strip' },
    element(
      'button',
      {
        type: 'button',
        ref: toggle,
        id: 'inspector-toggle',
        className: 'inspector-toggle',
        'aria-expanded': open,
        'aria-controls': open ? 'inspector-panel' : undefined,
        onClick: onToggle,
      },
      element('span', { className: 'inspector-chevron' }),
      'Inspector',
    ),
    element(
      'p',
      { className: 'inspector-status', role: 'status' },
      figures === null ? explanation(runs) : figureLine(figures, repeated),
    ),
    element(
      'div',
      { className: 'inspector-buttons' },
      runButton('cold', 'Run cold', 'Run the query past the caches'),
      runButton('warm', 'Run warm', 'Run the query through caches that hold what it needs'),
    ),
  );
}

function figureLine(figures, repeated) {
  const figure = (text) => element('span', { key: text, className: 'inspector-figure' }, text);
  return [
    // A line may break between two figures, and not inside of one.
    element(
      'span',
      { key: 'figures' },
      figureTexts(figures).flatMap((text, i) => (i === 0 ? figure(text) : [' · ', figure(text)])),
    ),
    ...repeated.flatMap(([name, times]) => [
      ' ',
      element(
        'span',
        { key: name, className: 'inspector-warning' },
        element('span', { 'aria-hidden': true }, '⚠ '),
        `${name} ran ${times} times`,
      ),
    ]),
  ];
}

function explanation({ inspection, executed }) {
  if (inspection === 'off') {
    return 'Inspection is off. Start the server with INSPECT=header to see its statements and cache hits here.';
  }
  if (inspection === 'declined')
    return 'Inspection is off. Set x-inspect to 1 in the headers below the query, or remove it.';
  if (!executed) return 'The query was not executed. The response says why.';
  return 'No query has run yet.';
}
