import { type DocumentNode, GraphQLError, parse, Token, visit } from 'graphql';
import { checkLimits, LIMITS, LimitExceeded } from './limits.ts';

/** Beyond so many characters or tokens a document is large. Few that people write are. */
const LARGE = { characters: 20_000, tokens: 500 };

/**
 * Parses a document and checks that it is within the limits, before anything follows it by recursion.
 *
 * @param text the document
 * @returns the syntax tree, whose nodes know their places in the text and nothing of the tokens around them
 * @throws {LimitExceeded} when it goes beyond a limit
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
    // The parser follows nesting by recursion: what is too deep for the stack is too deep for us.
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
 * Lets go of the tokens. They hang together in one list, comments among them, that takes more memory than the tree, and is
 * too long to be copied. Of the first of each node a copy is left, which knows its line and column: graphql-jit asks it.
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
