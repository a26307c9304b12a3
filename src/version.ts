import { readFileSync } from 'node:fs';

/** The version of Larder. `src` and `dist` lie equally deep, so this is the same file from the source and from the build. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
