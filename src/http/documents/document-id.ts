/** The name of a document: `sha256:` and the hash of its text in hexadecimal, or the hash alone. */
export const DOCUMENT_ID = /^(?:sha256:)?([0-9a-f]{64})$/i;
