import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What each file of a data set holds; what is absent holds its header alone. */
export interface CsvFiles {
  readonly brands?: string | Uint8Array;
  readonly campaigns?: string | Uint8Array;
  readonly events?: string | Uint8Array;
  readonly campaign_events?: string | Uint8Array;
}

const HEADERS = {
  brands: 'id,name\n',
  campaigns: 'id,brand_id,title,body\n',
  events: 'id,title,body,starts_at\n',
  campaign_events: 'campaign_id,event_id\n',
};

/**
 * Writes a data set as `db:load` takes it.
 *
 * @param directory where; made when it is not there
 * @param files what
 * @returns the directory
 */
export function writeDataset(directory: string, files: CsvFiles): string {
  mkdirSync(directory, { recursive: true });
  for (const [name, content] of Object.entries({ ...HEADERS, ...files })) {
    writeFileSync(join(directory, `${name}.csv`), content);
  }
  return directory;
}

/**
 * Writes CSV with every value in quotes.
 *
 * @param header the first line
 * @param rows the lines after it
 * @returns the content of a file
 */
export function toCsv(header: string, rows: Iterable<readonly string[]>): string {
  let content = `${header}\n`;
  for (const row of rows) content += `${row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')}\n`;
  return content;
}
