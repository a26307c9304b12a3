/**
 * Parses text of unknown origin.
 *
 * @param text what should be JSON
 * @returns its value; `undefined`, which JSON cannot express, when it is no JSON
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
