import { type ASTNode, type GraphQLError, Kind, print } from 'graphql';
import { InvalidValue } from '../../pothos/invalid-value.ts';

/** The longest message, in characters. A longer one repeats the client's own text. */
const MAX_LENGTH = 1000;

/** Literals, into which a client may have put a secret. Names are needed to say what is wrong. */
const VALUES: ReadonlySet<string> = new Set([Kind.STRING, Kind.INT, Kind.FLOAT, Kind.LIST, Kind.OBJECT]);

/**
 * Makes a message of graphql's fit for a client. It drops suggestions, which show names of a schema that may be hidden. It drops the
 * document's values, which may be secrets. And it limits the length.
 *
 * @param error the error
 * @returns its message
 */
export function publicMessage(error: Pick<GraphQLError, 'message' | 'nodes' | 'originalError'>): string {
  const { message, nodes, originalError } = error;
  const safe = originalError instanceof InvalidValue ? originalError.message : '';
  // What graphql wrote before the value.
  if (safe !== '' && message.endsWith(safe)) {
    return publicMessage({ message: message.slice(0, -safe.length), nodes, originalError: undefined }) + safe;
  }
  if (message.length > MAX_LENGTH) {
    // The message up to the first character that may be the client's. The buffer makes a copy: a slice would keep the whole text in memory.
    const [ours] = message.slice(0, 100).split(/[":{[\d]/, 1);
    return Buffer.from(`${ours}…`).toString();
  }
  let text = message.replace(/,? Did you mean [\s\S]*\?$/i, '');
  for (const node of nodes ?? []) text = withoutValue(text, node);
  // The parser quotes the token that it did not expect.
  return text.replace(/\b(String|BlockString|Int|Float) "[\s\S]*"(\.?)$/, '$1$2');
}

function withoutValue(text: string, node: ASTNode): string {
  return VALUES.has(node.kind) ? text.replaceAll(print(node), '…') : text;
}
