import { type DocumentNode, GraphQLError, parse, Token, visit } from 'graphql';
import { checkLimits, LIMITS, LimitExceeded } from './limits.ts';

/** A document with more characters or tokens is large. People write few of these. */
const LARGE = { characters: 20_000, tokens: 500 };

/**
 * Parses a document and checks its limits, before any recursive code reads it.
 *
 * @param text the document
 * @returns the syntax tree, whose nodes have their places in the text, but no list of tokens
 * @throws {LimitExceeded} when it exceeds a limit
 * @throws {GraphQLError} when it is no document
 */
export function parseWithinLimits(text: string): DocumentNode {
  const document = parseText(text);
  checkLimits(document);
  return withoutTokens(document);
}

/**
 * @param document a parsed document
 * @returns how many tokens it has
 */
export function tokensOf(document: DocumentNode): number {
  return document.tokenCount ?? LIMITS.tokens;
}

/**
 * @param text a document
 * @param document the same, parsed
 * @returns whether it is so large that copies of it should not be kept
 */
export function isLarge(text: string, document: DocumentNode): boolean {
  return text.length > LARGE.characters || tokensOf(document) > LARGE.tokens;
}

function parseText(text: string): DocumentNode {
  try {
    return parse(text, { maxTokens: LIMITS.tokens });
  } catch (error) {
    // The parser is recursive. A document that is too deep for the stack exceeds the limit of nesting.
    if (error instanceof RangeError) throw new LimitExceeded('nesting', LIMITS.tokens);
    if (
      error instanceof GraphQLError &&
      /^Syntax Error: Document contains more tha[nt] \d+ tokens/.test(error.message)
    ) {
      throw new LimitExceeded('tokens', LIMITS.tokens + 1);
    }
    throw error;
  }
}

/**
 * Drops the tokens. They form one list, comments among them, which takes more memory than the tree and is too long to be copied. Each node
 * keeps a copy of its first token, with line and column, for whoever reads the document besides graphql-js.
 */
function withoutTokens(document: DocumentNode): DocumentNode {
  visit(document, {
    enter: ({ loc }) => {
      if (loc === undefined) return;
      const { kind, start, end, line, column } = loc.startToken;
      const tokens = loc as { startToken: Token; endToken: Token };
      tokens.startToken = new Token(kind, start, end, line, column);
      tokens.endToken = tokens.startToken;
    },
  });
  return document;
}
