import { type ASTNode, type GraphQLError, Kind, print } from 'graphql';
import { InvalidValue } from '../../pothos/invalid-value.ts';

/** A message is for people; what goes on longer is a client's own text coming back. */
const MAX_LENGTH = 1000;

/** Literals: what a client may have put a secret into. Names are needed to say what is wrong. */
const VALUES: ReadonlySet<string> = new Set([Kind.STRING, Kind.INT, Kind.FLOAT, Kind.LIST, Kind.OBJECT]);

/**
 * One of graphql's messages as a client may see it: without suggestions, which tell a stranger the names of a schema that
 * is not shown; without the values in the document, which may be secrets; and not as long as the document.
 *
 * @param error the error
 * @returns its message
 */
export function publicMessage(error: Pick<GraphQLError, 'message' | 'nodes' | 'originalError'>): string {
  const { message, nodes, originalError } = error;
  const safe = originalError instanceof InvalidValue ? originalError.message : '';
  // What graphql puts before it shows the value.
  if (safe !== '' && message.endsWith(safe)) {
    return publicMessage({ message: message.slice(0, -safe.length), nodes, originalError: undefined }) + safe;
  }
  if (message.length > MAX_LENGTH) {
    // From the first thing on that may be the client's. By way of a buffer: a slice would keep all of it in memory.
    const [ours] = message.slice(0, 100).split(/[":{[\d]/, 1);
    return Buffer.from(`${ours}…`).toString();
  }
  let text = message.replace(/,? Did you mean [\s\S]*\?$/i, '');
  for (const node of nodes ?? []) text = withoutValue(text, node);
  // The parser names the token that it did not expect.
  return text.replace(/\b(String|BlockString|Int|Float) "[\s\S]*"(\.?)$/, '$1$2');
}

function withoutValue(text: string, node: ASTNode): string {
  return VALUES.has(node.kind) ? text.replaceAll(print(node), '…') : text;
}
