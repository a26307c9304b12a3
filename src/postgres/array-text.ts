/** An array of SQL texts, nested as deeply as Postgres' array was. */
export type TextArray = readonly (string | null | TextArray)[];

/**
 * Reads an array as Postgres writes it (the manual's section 8.15.6, "Array Input and Output Syntax"): `{1,NULL,"a \"b\""}`. It ignores
 * lower bounds other than 1. Drizzle's own reader takes NULL for a text and drops backslashes.
 *
 * @param text what Postgres wrote
 * @returns its elements as SQL text, `null` for NULL
 * @throws {TypeError} when it is no array
 */
export function parseArray(text: string): TextArray {
  let at = text.indexOf('{');
  const fail = () => new TypeError('Expected an array as Postgres writes it.');

  const quoted = (): string => {
    let value = '';
    for (at += 1; text[at] !== '"'; at += 1) {
      if (text[at] === '\\') at += 1;
      if (at >= text.length) throw fail();
      value += text[at];
    }
    at += 1;
    return value;
  };

  const bare = (): string | null => {
    let value = '';
    for (; text[at] !== ',' && text[at] !== '}'; at += 1) {
      if (text[at] === '\\') at += 1;
      if (at >= text.length) throw fail();
      value += text[at];
    }
    return value === 'NULL' ? null : value;
  };

  const array = (): TextArray => {
    const items: (string | null | TextArray)[] = [];
    at += 1;
    while (text[at] !== '}') {
      items.push(text[at] === '{' ? array() : text[at] === '"' ? quoted() : bare());
      if (text[at] === ',') at += 1;
      else if (text[at] !== '}') throw fail();
    }
    at += 1;
    return items;
  };

  if (at < 0) throw fail();
  const items = array();
  if (at !== text.length) throw fail();
  return items;
}
