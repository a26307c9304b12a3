import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GraphQLError, type GraphQLSchema, validate } from 'graphql';
import { LimitExceeded } from '../http/documents/limits.ts';
import { parseWithinLimits } from '../http/documents/parse-document.ts';
import { reasonOf } from '../reason-of.ts';

/** A file does not hold documents that this server can answer. The message says which and why. */
export class DocumentsError extends Error {
  override name = 'DocumentsError';
}

/**
 * Reads the persisted queries that the Relay compiler writes, `{hash: text}`. Checks each against the schema and the limits. Relay names
 * documents by MD5 by default; here each is named by its SHA-256.
 *
 * @param file the path of Relay's JSON
 * @param schema the schema that the documents must be valid against
 * @returns the documents by the SHA-256 of their text in hexadecimal, and how many had another name
 * @throws {DocumentsError} when the file is no such JSON, or the server would refuse a document
 */
async function readDocuments(
  file: string,
  schema: GraphQLSchema,
): Promise<{ documents: Map<string, string>; misnamed: number }> {
  let raw: unknown;
  try {
    raw = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new DocumentsError(`${file} cannot be read as JSON: ${reasonOf(error)}`);
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw new DocumentsError(`${file}: expected an object of texts by name, as the Relay compiler writes it.`);
  }
  const documents = new Map<string, string>();
  let misnamed = 0;
  for (const [name, text] of Object.entries(raw)) {
    if (typeof text !== 'string') throw new DocumentsError(`${file}: ${name} is not text.`);
    try {
      const [error] = validate(schema, parseWithinLimits(text));
      if (error !== undefined) throw error;
    } catch (error) {
      if (!(error instanceof GraphQLError) && !(error instanceof LimitExceeded)) throw error;
      throw new DocumentsError(`${file}: ${name} is not valid: ${error.message}`);
    }
    const hash = createHash('sha256').update(text).digest('hex');
    if (name !== hash) misnamed += 1;
    documents.set(hash, text);
  }
  return { documents, misnamed };
}

function adviceOn(misnamed: number): string {
  return (
    `${misnamed} documents are not named by the SHA-256 of their text, which is how the server knows them: a client that sends their names ` +
    "is not answered. Relay names them so with `persistConfig: { file: …, algorithm: 'SHA256' }` in its configuration (it takes MD5 unless told " +
    'otherwise); then compile again.'
  );
}

/**
 * Writes the documents of some files for a server.
 *
 * @param files the files that the Relay compiler wrote for each client
 * @param schema the schema that the documents must be valid against
 * @param out the path of the file to write
 * @param say receives what a developer should know
 * @throws {DocumentsError} when the server would refuse a document, there is none, or the file cannot be written
 */
export async function writeDocuments(
  files: readonly string[],
  schema: GraphQLSchema,
  out: string,
  say: (line: string) => void,
): Promise<void> {
  const documents = new Map<string, string>();
  for (const file of files) {
    const read = await readDocuments(file, schema);
    for (const [hash, text] of read.documents) documents.set(hash, text);
    if (read.misnamed > 0) say(`${file}: ${adviceOn(read.misnamed)}`);
  }
  if (documents.size === 0)
    throw new DocumentsError(`There are no documents in ${files.join(', ')}: nothing was written.`);
  // Sorted, so that a changed document changes one line.
  const sorted = [...documents].sort(([a], [b]) => (a < b ? -1 : 1));
  try {
    await mkdir(dirname(out), { recursive: true });
    await writeFile(out, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
  } catch (error) {
    throw new DocumentsError(`${out} cannot be written: ${reasonOf(error)}`);
  }
  say(`${documents.size} documents written to ${out}.`);
}
