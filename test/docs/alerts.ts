import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';

/**
 * The alerts of `ops/prometheus/larder.rules.yml` as a table in Markdown.
 *
 * @returns the table: each alert's name, how urgent it is and its runbook
 */
export function alertTable(): string {
  const rules = readFileSync(join(REPOSITORY, 'ops', 'prometheus', 'larder.rules.yml'), 'utf8');
  const rows = rules
    .split(/^ *- alert: /m)
    .slice(1)
    .map((alert) => {
      const [name = ''] = alert.split('\n');
      const [, severity = ''] = /severity: (\w+)/.exec(alert) ?? [];
      const [, runbook = ''] = /runbook: "([^"\n]+)"/.exec(alert) ?? [];
      return [`\`${name}\``, severity, runbook.replaceAll('|', '\\|')];
    });
  return table([['Alert', 'Urgency', 'What to do'], ...rows]);
}

/** A table with aligned columns, as the format check wants it. */
function table(rows: readonly (readonly string[])[]): string {
  const [heads = [], ...others] = rows;
  const widths = heads.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(heads), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)].join('\n');
}
