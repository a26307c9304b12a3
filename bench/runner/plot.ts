import { PEERS, type Peer } from './peers.ts';
import { type Results, spreadOf } from './results.ts';
import { element, svg, text } from './svg.ts';
import { KINDS, TRAFFIC, type Traffic } from './traffic.ts';

const COLORS: Readonly<Record<Peer['kind'], string>> = {
  larder: '#0a7d55',
  graphql: '#7a869a',
  'finished answer': '#c9b458',
  route: '#a9b4c6',
};

const PANEL = { width: 460, columns: 2, bar: 15, gap: 4, left: 250, right: 60, top: 34, bottom: 14 };

/** Of the title, and of the warning below it. */
const HEAD = 50;

/**
 * Draws a run: a panel for each kind of traffic, a bar for each peer, a line over it from the slowest round to the fastest.
 *
 * @param results all that was measured
 * @returns an SVG document
 */
export function plot(results: Results): string {
  const height = PANEL.top + PEERS.length * (PANEL.bar + PANEL.gap) + PANEL.bottom;
  const drawn = TRAFFIC.filter((traffic) => !KINDS[traffic].lone && results.samples[traffic] !== undefined);
  const rows = Math.ceil(drawn.length / PANEL.columns);
  const panels = drawn.map((traffic, i) => {
    const x = (i % PANEL.columns) * (PANEL.left + PANEL.width + PANEL.right);
    const y = HEAD + Math.floor(i / PANEL.columns) * height;
    return element('g', { transform: `translate(${x},${y})` }, panel(results, traffic));
  });
  const title = `Requests per second, ${results.data}, ${results.connections} connections (${results.at})`;
  const warning = results.warning === null ? [] : [text(results.warning, { x: 12, y: 42, fill: '#b00020' })];
  return svg(
    'Larder beside its peers',
    PANEL.columns * (PANEL.left + PANEL.width + PANEL.right),
    HEAD + 10 + rows * height,
    [text(title, { x: 12, y: 22, 'font-size': 15, 'font-weight': 'bold' }), ...warning, ...panels],
  );
}

function panel(results: Results, traffic: Traffic): string[] {
  const bars = PEERS.flatMap((peer) => {
    const spread = spreadOf(results, traffic, peer.name, (sample) => sample.perSecond);
    return spread === null ? [] : [{ peer, spread }];
  });
  const most = Math.max(...bars.map(({ spread }) => spread.max));
  const at = (value: number) => PANEL.left + (value / most) * PANEL.width;
  return [
    text(KINDS[traffic].title, { x: 12, y: 22, 'font-size': 13, 'font-weight': 'bold' }),
    ...bars.flatMap(({ peer, spread }, i) => {
      const y = PANEL.top + i * (PANEL.bar + PANEL.gap);
      const middle = y + PANEL.bar / 2;
      return [
        text(short(peer), { x: PANEL.left - 8, y: middle + 4, 'text-anchor': 'end' }),
        element('rect', {
          ...{ x: PANEL.left, y, width: at(spread.median) - PANEL.left, height: PANEL.bar },
          fill: COLORS[peer.kind],
        }),
        element('line', { x1: at(spread.min), x2: at(spread.max), y1: middle, y2: middle, stroke: '#222' }),
        text(Math.round(spread.median).toLocaleString('en-US'), { x: at(spread.max) + 6, y: middle + 4 }),
      ];
    }),
  ];
}

function short({ title }: Peer): string {
  return title.replace('whole-response cache in memory', 'response cache').replace('route by hand', 'by hand');
}
