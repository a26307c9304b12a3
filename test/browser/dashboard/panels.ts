import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../../src/cli/services/state-directory.ts';

/** A panel of the dashboard, as its JSON has it. */
export interface Panel {
  readonly type: 'row' | 'stat' | 'timeseries';
  readonly title: string;
  /** In columns, of which there are 24, and rows. */
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig: {
    readonly defaults: {
      readonly unit: string;
      readonly max?: number;
      readonly custom?: { readonly stacking: { readonly mode: 'none' | 'normal' } };
    };
  };
  /** Rows have none. */
  readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[];
}

const FILE = join(REPOSITORY, 'ops', 'grafana', 'dashboards', 'larder.json');

/**
 * @param titles the rows of the dashboard that are wanted
 * @returns these rows' panels, and the rows themselves, moved up to where the others leave room
 */
export function readPanels(titles: readonly string[]): Panel[] {
  const { panels } = JSON.parse(readFileSync(FILE, 'utf8')) as { panels: readonly Panel[] };
  const found: Panel[] = [];
  let wanted = false;
  let top = 0;
  let offset = 0;
  for (const panel of panels) {
    const { y, h } = panel.gridPos;
    if (panel.type === 'row') {
      wanted = titles.includes(panel.title);
      offset = y - top;
    }
    if (!wanted) continue;
    found.push({ ...panel, gridPos: { ...panel.gridPos, y: y - offset } });
    top = Math.max(top, y - offset + h);
  }
  return found;
}

/**
 * @param legend what a series is called, such as `{{tier}} {{result}}`
 * @param labels its labels
 * @returns its name
 */
export function nameOf(legend: string, labels: Readonly<Record<string, string>>): string {
  return legend.replace(/\{\{(\w+)\}\}/g, (_all, label: string) => labels[label] ?? '');
}
