import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Parameters } from './parameters.ts';
import { RequestRefused } from './request-refused.ts';

/** Documents that clients may name instead of sending them. */
export interface TrustedDocuments {
  /**
   * @param parameters what a client asks for
   * @returns the document's text, and whether it is a trusted one
   * @throws {RequestRefused} when the client names one that is not there, or sends text where only names are taken
   */
  textOf(parameters: Parameters): { text: string; trusted: boolean };
}

/** The name of a document: `sha256:` and the hash of its text in hexadecimal. */
const DOCUMENT_ID = /^(?:sha256:)?([0-9a-f]{64})$/i;

/**
 * @param file JSON of `{hash: text}` as `npm run documents` writes it; `null` for none
 * @param only whether any other text is refused
 * @returns the documents
 * @throws when the file is not there, or a hash is not its text's
 */
export function loadTrustedDocuments(file: string | null, only: boolean): TrustedDocuments {
  // A Map, so that `__proto__` is a name like any other.
  const texts = new Map<string, string>();
  const known = new Map<string, string>();
  if (file !== null) {
    for (const [hash, text] of Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>)) {
      if (typeof text !== 'string' || createHash('sha256').update(text).digest('hex') !== hash) {
        throw new Error(`${file}: the document ${hash} is not the text of that hash. Run npm run documents again.`);
      }
      texts.set(hash, text);
      known.set(text, hash);
    }
  }
  return {
    textOf: ({ query, documentId }) => {
      if (documentId !== null) {
        const hash = DOCUMENT_ID.exec(documentId)?.[1]?.toLowerCase();
        const text = hash === undefined ? undefined : texts.get(hash);
        if (text === undefined || (query !== null && query !== text)) {
          throw new RequestRefused(400, 'DOCUMENT_NOT_FOUND', 'There is no trusted document of that id.');
        }
        return { text, trusted: true };
      }
      const text = query ?? '';
      if (only && !known.has(text)) {
        throw new RequestRefused(
          400,
          'DOCUMENT_NOT_TRUSTED',
          'Only trusted documents are answered: send a documentId.',
        );
      }
      return { text, trusted: known.has(text) };
    },
  };
}
