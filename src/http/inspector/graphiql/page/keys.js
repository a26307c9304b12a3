/* global React */

const element = React.createElement;

/** The keys that a round trip to Redis was about. */
export function Keys({ names }) {
  return element('pre', { tabIndex: 0, 'aria-label': 'Keys' }, names.join('\n'));
}
