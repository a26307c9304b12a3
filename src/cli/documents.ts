import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { GraphQLError, parse, validate } from 'graphql';
import { buildGraphQLSchema } from '../graphql/schema.ts';
import { isStarted, runCommand, UsageError } from './command.ts';

/** A file does not hold documents that this server can answer. The message says which and why. */
export class DocumentsError extends Error {
  override name = 'DocumentsError';
}

/**
 * Reads the persisted queries that the Relay compiler writes, `{hash: text}`, and checks each against the schema. Relay
 * names documents by MD5 unless told otherwise; here every one gets its SHA-256.
 *
 * @param file where Relay's JSON is
 * @returns the documents by the SHA-256 of their text in hexadecimal
 * @throws {DocumentsError} when the file is no such JSON, or a document is not valid
 */
export async function readDocuments(file: string): Promise<Record<string, string>> {
  let raw: unknown;
  try {
    raw = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new DocumentsError(
      `${file} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw new DocumentsError(`${file}: expected an object of texts by name, as the Relay compiler writes it.`);
  }
  const schema = buildGraphQLSchema();
  const documents: Record<string, string> = {};
  for (const [name, text] of Object.entries(raw)) {
    if (typeof text !== 'string') throw new DocumentsError(`${file}: ${name} is not text.`);
    try {
      const [error] = validate(schema, parse(text));
      if (error !== undefined) throw error;
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      throw new DocumentsError(`${file}: ${name} is not valid: ${error.message}`);
    }
    documents[createHash('sha256').update(text).digest('hex')] = text;
  }
  return documents;
}

const command = {
  help: `npm run documents -- FILE [--out FILE]

Takes the JSON of persisted queries that the Relay compiler writes, checks each document against the schema, and
writes them for the server by the SHA-256 of their text.

  --out FILE   where to write; documents.json unless given. Point TRUSTED_DOCUMENTS_FILE at it.
`,
  options: { out: { type: 'string', default: 'documents.json' } },
  errors: [DocumentsError],
  run: async ({ out }: { out?: string | undefined }, [file]: readonly string[]) => {
    if (file === undefined || out === undefined)
      throw new UsageError('Expected the file that the Relay compiler wrote.');
    const documents = await readDocuments(file);
    await writeFile(out, `${JSON.stringify(documents, null, 2)}\n`);
    process.stderr.write(`${Object.keys(documents).length} documents written to ${out}.\n`);
  },
} as const;

if (isStarted(import.meta.url)) await runCommand(command);
