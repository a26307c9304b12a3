import { buildGraphQLSchema } from '../app/schema.ts';
import { runCommand, UsageError } from '../commands/command.ts';
import { DocumentsError, writeDocuments } from '../commands/documents.ts';

await runCommand({
  help: `npm run documents -- FILE... [--out FILE]

Takes the JSON of persisted queries that the Relay compiler writes, checks each document against the schema, and
writes them for the server by the SHA-256 of their text. Name the files of all clients that are still in use.

A client must name them by the same hash: Relay does with \`persistConfig: { file: …, algorithm: 'SHA256' }\`.

  --out FILE   where to write; documents.json unless given, and made with its directories. Point TRUSTED_DOCUMENTS_FILE at it.
`,
  options: { out: { type: 'string', default: 'documents.json' } },
  errors: [DocumentsError],
  run: async ({ out = 'documents.json' }, files) => {
    if (files.length === 0) throw new UsageError('Expected the files that the Relay compiler wrote.');
    await writeDocuments(files, buildGraphQLSchema(), out, (line) => process.stderr.write(`${line}\n`));
  },
});
