import { table } from '../report.ts';
import { element, svg, text } from '../svg.ts';
import { cpuMs, factorOf, type Point, type Series } from './series.ts';

/**
 * Writes what grew as Markdown tables.
 *
 * @param all the series
 * @returns the text
 */
export function reportGrowth(all: readonly Series[]): string {
  return all.map((series) => [`${series.title}:`, '', ...rows(series), '', verdict(series)].join('\n')).join('\n\n');
}

function rows({ x, points }: Series): string[] {
  const head = [
    x,
    'requests/s',
    'p50 ms',
    'p99 ms',
    'CPU ms a request',
    'SQL statements',
    'Redis commands',
    'memory MiB',
    'errors',
  ];
  return table(
    head,
    points.map(({ x, sample, residentMiB }) => [
      x.toLocaleString('en-US'),
      Math.round(sample.perSecond).toLocaleString('en-US'),
      sample.p50.toFixed(2),
      sample.p99.toFixed(2),
      cpuMs(sample).toFixed(3),
      sample.statements.toFixed(2),
      sample.redisCommands.toFixed(2),
      String(residentMiB),
      String(sample.errors),
    ]),
  );
}

function verdict(series: Series): string {
  const statements = series.points.map(({ sample }) => sample.statements);
  const spread = `SQL statements a request: ${Math.min(...statements).toFixed(2)} to ${Math.max(...statements).toFixed(2)}.`;
  if (series.flat === null) return spread;
  const factor = factorOf(series);
  const passed = factor <= series.flat ? 'pass' : 'FAIL';
  return `${spread} ${passed}: CPU time a request differs by ${factor.toFixed(2)} ×, at most ${series.flat} × wanted.`;
}

const PANEL = { width: 380, height: 200, left: 60, top: 40, gap: 50, columns: 2 };

/**
 * Draws what grew: for each series the CPU time of a request and its statements; of connections, how many requests are
 * answered in a second.
 *
 * @param all the series
 * @param title what stands above
 * @returns an SVG document
 */
export function plotGrowth(all: readonly Series[], title: string): string {
  const width = PANEL.left + PANEL.width + PANEL.gap;
  const height = PANEL.top + PANEL.height + PANEL.gap;
  const panels = all.map((series, i) => {
    const [x, y] = [(i % PANEL.columns) * width, 30 + Math.floor(i / PANEL.columns) * height];
    return element('g', { transform: `translate(${x},${y})` }, panel(series));
  });
  return svg('Larder while things grow', width * PANEL.columns, 40 + height * Math.ceil(all.length / PANEL.columns), [
    text(title, { x: 12, y: 22, 'font-size': 15, 'font-weight': 'bold' }),
    ...panels,
  ]);
}

interface Line {
  readonly title: string;
  readonly color: string;
  pick(point: Point): number;
}

const COST: readonly Line[] = [
  { title: 'CPU ms a request', color: '#0a7d55', pick: ({ sample }) => cpuMs(sample) },
  { title: 'SQL statements a request', color: '#b5651d', pick: ({ sample }) => sample.statements },
];

const RATE: readonly Line[] = [
  { title: 'requests per second', color: '#0a7d55', pick: ({ sample }) => sample.perSecond },
];

function panel({ name, title, x, logarithmic, points }: Series): string[] {
  const lines = name === 'connections' ? RATE : COST;
  const place = (value: number) => (logarithmic ? Math.log(value) : value);
  const [first, last] = [place(points[0]?.x ?? 1), place(points.at(-1)?.x ?? 1)];
  const most = Math.max(...points.flatMap((point) => lines.map(({ pick }) => pick(point))));
  const atX = (value: number) => PANEL.left + ((place(value) - first) / (last - first || 1)) * PANEL.width;
  const atY = (value: number) => PANEL.top + PANEL.height * (1 - value / most);
  const bottom = PANEL.top + PANEL.height;
  return [
    text(title, { x: PANEL.left, y: 14, 'font-size': 13, 'font-weight': 'bold' }),
    ...lines.map((line, i) => text(line.title, { x: PANEL.left + i * 150, y: 30, fill: line.color })),
    element('line', { x1: PANEL.left, x2: PANEL.left + PANEL.width, y1: bottom, y2: bottom, stroke: '#222' }),
    ...[0, most / 2, most].map((value) =>
      text(tick(value), { x: PANEL.left - 8, y: atY(value) + 4, 'text-anchor': 'end' }),
    ),
    ...points.map((point) => text(short(point.x), { x: atX(point.x), y: bottom + 16, 'text-anchor': 'middle' })),
    text(x, { x: PANEL.left + PANEL.width / 2, y: bottom + 34, 'text-anchor': 'middle' }),
    ...lines.map(({ color, pick }) =>
      element('polyline', {
        points: points.map((point) => `${atX(point.x).toFixed(1)},${atY(pick(point)).toFixed(1)}`).join(' '),
        ...{ fill: 'none', stroke: color, 'stroke-width': 2 },
      }),
    ),
  ];
}

/** Two digits that count, at least. */
function tick(value: number): string {
  if (value === 0 || value >= 10) return value.toFixed(0);
  return value.toFixed(value < 1 ? 2 : 1);
}

function short(value: number): string {
  if (value >= 1_000_000) return `${value / 1_000_000}M`;
  return value >= 1000 ? `${value / 1000}k` : String(value);
}
