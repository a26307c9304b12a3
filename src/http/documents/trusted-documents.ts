import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { reasonOf } from '../../reason-of.ts';
import { RequestRefused } from '../errors/request-refused.ts';
import { DOCUMENT_ID } from './document-id.ts';
import type { Parameters } from './parameters.ts';

/** Documents that clients may name instead of sending them. */
export interface TrustedDocuments {
  /**
   * @param parameters the parameters of a request
   * @returns the document's text, and whether it is a trusted one
   * @throws {RequestRefused} when the client names an unknown one, or sends text where only names are accepted
   */
  textOf(parameters: Pick<Parameters, 'query' | 'documentId' | 'apollo'>): { text: string; trusted: boolean };
}

/**
 * @param file the path of JSON `{hash: text}`, as `npm run documents` writes it; `null` for none
 * @param only whether any other text is refused
 * @returns the documents
 * @throws when the file cannot be read, or a hash is not that of its text
 */
export function loadTrustedDocuments(file: string | null, only: boolean): TrustedDocuments {
  const texts = file === null ? new Map<string, string>() : readTexts(file);
  const trusted = new Set(texts.values());

  const textNamed = ({ query, documentId, apollo }: { documentId: string; query: string | null; apollo: boolean }) => {
    const hash = DOCUMENT_ID.exec(documentId)?.[1]?.toLowerCase();
    const text = hash === undefined ? undefined : texts.get(hash);
    if (text !== undefined && (query ?? text) === text) return text;
    if (!apollo) throw new RequestRefused(400, 'DOCUMENT_NOT_FOUND', 'There is no trusted document of that id.');
    if (query === null || query === '') throw texts.size === 0 ? notSupported() : notFound();
    // Apollo's clients send the text with its name when the name alone was not known. The name must be right, but it is not remembered:
    // only the file makes a document trusted.
    if (sha256(query) !== hash) {
      throw new RequestRefused(400, 'DOCUMENT_ID_MISMATCH', 'The sha256Hash is not the hash of the query.');
    }
    return query;
  };

  return {
    textOf: ({ query, documentId, apollo }) => {
      const text = documentId === null ? (query ?? '') : textNamed({ query, documentId, apollo });
      if (only && !trusted.has(text)) {
        const message = 'Only trusted documents are answered: send a documentId.';
        throw new RequestRefused(400, 'DOCUMENT_NOT_TRUSTED', message);
      }
      return { text, trusted: trusted.has(text) };
    },
  };
}

/**
 * Apollo's clients and urql react to these messages and codes. They send this document's text beside its name, or only texts from now on.
 * With `application/json` they expect a 200.
 */
function notFound(): RequestRefused {
  return new RequestRefused(400, 'PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound', { wellFormed: true });
}

function notSupported(): RequestRefused {
  return new RequestRefused(400, 'PERSISTED_QUERY_NOT_SUPPORTED', 'PersistedQueryNotSupported', { wellFormed: true });
}

function readTexts(file: string): Map<string, string> {
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`The trusted documents cannot be read from ${file}: ${reasonOf(error)}`);
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw new Error(`${file}: expected an object of trusted documents by hash, as npm run documents writes it.`);
  }
  // In a Map, `__proto__` is a name like any other.
  const texts = new Map<string, string>();
  for (const [hash, text] of Object.entries(raw)) {
    if (typeof text !== 'string' || sha256(text) !== hash) {
      throw new Error(`${file}: the document ${hash} is not the text of that hash. Run npm run documents again.`);
    }
    texts.set(hash, text);
  }
  return texts;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
