/**
 * Parses text that anybody may have written.
 *
 * @param text what should be JSON
 * @returns its value; `undefined`, which no JSON means, when it is none
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
