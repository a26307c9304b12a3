import { writeFile } from 'node:fs/promises';
import { printSchema } from 'graphql';
import { buildGraphQLSchema } from '../app/schema.ts';
import { runCommand } from '../commands/command.ts';

const help = `Prints the schema of the campaigns server, as schema.graphql holds it.

  npm run schema              writes schema.graphql
  tsx src/cli/print-schema.ts [--out FILE]

  --out FILE  where to write; to stdout unless given
`;

await runCommand({
  help,
  options: { out: { type: 'string' } },
  errors: [],
  async run({ out }) {
    const text = `${printSchema(buildGraphQLSchema())}\n`;
    if (out === undefined) process.stdout.write(text);
    else await writeFile(out, text);
  },
});
