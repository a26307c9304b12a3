/** The attributes of an element. */
type Attributes = Readonly<Record<string, string | number>>;

/** An SVG document of some size. It is on white, to be readable on any page. Its title is for whoever cannot see it. */
export function svg(title: string, width: number, height: number, children: readonly string[]): string {
  const attributes = {
    ...{ xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}` },
    ...{ 'font-family': 'system-ui, sans-serif', 'font-size': 11 },
  };
  const background = element('rect', { width, height, fill: '#fff' });
  return `${element('svg', attributes, [element('title', {}, [escaped(title)]), background, ...children])}\n`;
}

/** One element with its children. */
export function element(name: string, attributes: Attributes, children: readonly string[] = []): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(shown(value))}"`);
  return `<${name}${written.join('')}>${children.join('')}</${name}>`;
}

/** A line of text. */
export function text(content: string, attributes: Attributes): string {
  return element('text', attributes, [escaped(content)]);
}

function shown(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 100) / 100) : value;
}

function escaped(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
