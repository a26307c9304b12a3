import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { generated } from './generated.ts';

const help = `Brings up to date what docs/ has from other files: the diagram of imports, and the table of alerts.

  npm run docs
`;

// `npm run docs`: writes the parts of docs that are made from other files.
if (process.argv.includes('--help')) {
  process.stdout.write(help);
  process.exit();
}
for (const { page, now, wanted } of generated()) {
  if (now === wanted) continue;
  writeFileSync(join(REPOSITORY, page), wanted);
  console.log(`${page} was brought up to date.`);
}
