import type { Panel } from './panels.ts';
import { withUnit } from './units.ts';

/** A line of a panel. */
export interface Line {
  readonly name: string;
  /** Times in seconds since the epoch, each with the value then. */
  readonly values: readonly (readonly [number, number])[];
}

/** A panel with what it shows. */
export interface Filled {
  readonly panel: Panel;
  readonly lines: readonly Line[];
}

/** What the horizontal axes span, in seconds since the epoch. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A column and a row of the dashboard's grid, and the space between panels. */
const CELL = { width: 52, height: 30, gap: 6 };
const PLOT = { left: 58, right: 8, top: 6, bottom: 16 };
const COLOURS = ['#1f77b4', '#e8710a', '#2a8f47', '#b23ac7', '#c9302c', '#8a6d1a', '#0f8b8d', '#6b6b6b'];

const STYLE = `
  body { margin: 0; background: #f4f5f5; font: 12px/1.3 sans-serif; color: #24292e; }
  main { position: relative; }
  section { position: absolute; box-sizing: border-box; padding: 6px 8px; background: #fff; border: 1px solid #d8dadd; border-radius: 3px; overflow: hidden; }
  h2 { margin: 0; font-size: 13px; font-weight: 600; }
  h1 { position: absolute; margin: 0; font-size: 14px; font-weight: 600; line-height: 28px; }
  .stat { margin: 12px 0 0; font-size: 28px; text-align: center; white-space: nowrap; }
  ul { display: flex; flex-wrap: wrap; gap: 0 12px; margin: 0; padding: 0; list-style: none; }
  li i { display: inline-block; width: 12px; height: 3px; margin-right: 4px; vertical-align: middle; }
  text { font-size: 10px; fill: #5a6068; }`;

/**
 * Draws panels as Grafana lays them out.
 *
 * @param filled the panels with their figures
 * @param span the time that they show
 * @returns a page of HTML whose `main` is as large as what it shows
 */
export function drawDashboard(filled: readonly Filled[], span: Span): string {
  const height = Math.max(...filled.map(({ panel: { gridPos } }) => gridPos.y + gridPos.h)) * CELL.height;
  const size = `width: ${24 * CELL.width}px; height: ${height + CELL.gap}px`;
  const panels = filled.map((one) => place(one, span)).join('\n');
  return `<!doctype html><meta charset="utf-8"><style>${STYLE}</style><main style="${size}">${panels}</main>`;
}

function place({ panel, lines }: Filled, span: Span): string {
  const { x, y, w, h } = panel.gridPos;
  const [width, height] = [w * CELL.width - CELL.gap, h * CELL.height - CELL.gap];
  const corner = `left: ${x * CELL.width + CELL.gap}px; top: ${y * CELL.height + CELL.gap}px`;
  if (panel.type === 'row') return `<h1 style="${corner}">${escaped(panel.title)}</h1>`;
  const content = panel.type === 'stat' ? stat(panel, lines) : plot(panel, lines, span, width - 18, height - 84);
  const size = `width: ${width}px; height: ${height}px`;
  return `<section style="${corner}; ${size}"><h2>${escaped(panel.title)}</h2>${content}</section>`;
}

function stat(panel: Panel, lines: readonly Line[]): string {
  const last = lines[0]?.values.at(-1)?.[1];
  const text = last === undefined ? 'no data' : withUnit(last, panel.fieldConfig.defaults.unit);
  return `<p class="stat">${text}</p>`;
}

function plot(panel: Panel, lines: readonly Line[], span: Span, width: number, height: number): string {
  const { unit, max, custom } = panel.fieldConfig.defaults;
  const stacked = custom?.stacking.mode === 'normal';
  const layers = stacked ? stack(lines) : lines.map(({ values }) => values);
  const most = max ?? ceiling(Math.max(0, ...layers.flat().map(([, value]) => value)));
  const across = (at: number) =>
    PLOT.left + ((at - span.from) / (span.to - span.from)) * (width - PLOT.left - PLOT.right);
  const up = (value: number) => height - PLOT.bottom - (value / most) * (height - PLOT.top - PLOT.bottom);
  const grid = [0, 0.5, 1].map((part) => {
    const y = up(part * most).toFixed(1);
    const label = `<text x="${PLOT.left - 6}" y="${y}" dy="3" text-anchor="end">${withUnit(part * most, unit)}</text>`;
    return `${label}<path d="M${PLOT.left} ${y}H${width - PLOT.right}" stroke="#e3e5e8"/>`;
  });
  const times = [0, 0.5, 1].map((part) => {
    const at = span.from + part * (span.to - span.from);
    const anchor = ['start', 'middle', 'end'][part * 2];
    return `<text x="${across(at)}" y="${height - 3}" text-anchor="${anchor}">${Math.round(at - span.from)} s</text>`;
  });
  // What is stacked is drawn from the top, each layer over the one above.
  const drawn = layers.map((values, i) => {
    const points = values.map(([at, value]) => `${across(at).toFixed(1)} ${up(value).toFixed(1)}`).join('L');
    const [first, last] = [values[0], values.at(-1)];
    if (first === undefined || last === undefined) return '';
    const area = stacked
      ? `<path d="M${points}L${across(last[0])} ${up(0)}L${across(first[0])} ${up(0)}Z" fill="#fff"/>`
      : '';
    const tint = stacked ? area.replace('"#fff"', `"${colour(i)}" fill-opacity="0.2"`) : '';
    return `${area}${tint}<path d="M${points}" fill="none" stroke="${colour(i)}" stroke-width="1.5"/>`;
  });
  const legend = lines.map(
    ({ name, values }, i) =>
      `<li><i style="background: ${colour(i)}"></i>${escaped(name)} ${withUnit(values.at(-1)?.[1] ?? 0, unit)}</li>`,
  );
  const svg = [...drawn.toReversed(), ...grid, ...times].join('');
  return `<svg width="${width}" height="${height}">${svg}</svg><ul>${legend.join('')}</ul>`;
}

/** The lines on top of each other. */
function stack(lines: readonly Line[]): (readonly [number, number])[][] {
  const sums = new Map<number, number>();
  return lines.map(({ values }) =>
    values.map(([at, value]) => {
      const sum = (sums.get(at) ?? 0) + value;
      sums.set(at, sum);
      return [at, sum] as const;
    }),
  );
}

/** A round number that is not below the value. */
function ceiling(value: number): number {
  if (value === 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((step) => step * power >= value) ?? 10) * power;
}

function colour(i: number): string {
  return COLOURS[i % COLOURS.length] ?? '#000';
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
