import type { Page } from 'playwright-core';

/** How an element is seen: its colours as `[red, green, blue]` from 0 to 255, what is below them shining through. */
export interface Colours {
  readonly text: readonly number[];
  readonly background: readonly number[];
}

/**
 * Computes what an element's text and its background look like together with everything that they lie on.
 *
 * @param page the page
 * @param selector the element
 * @returns its colours
 */
export async function coloursOf(page: Page, selector: string): Promise<Colours> {
  const { text, layers } = await page.evaluate<{ text: string; layers: string[] }>(`(() => {
    const element = document.querySelector(${JSON.stringify(selector)});
    const layers = [];
    for (let at = element; at !== null; at = at.parentElement) layers.push(getComputedStyle(at).backgroundColor);
    return { text: getComputedStyle(element).color, layers };
  })()`);
  // What nothing covers is white or black, but the page covers all of itself.
  const background = layers.map(parse).reduceRight(over, [255, 255, 255]);
  return { text: over(background, parse(text)), background };
}

/**
 * The contrast of a text with its background (WCAG 2.2, 1.4.3).
 *
 * @param colours both
 * @returns a ratio from 1 to 21
 */
export function contrast({ text, background }: Colours): number {
  const [dark = 0, light = 0] = [luminance(text), luminance(background)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** One colour with the share that it covers. */
function parse(css: string): number[] {
  const [red, green, blue, alpha = 1] = (css.match(/[\d.]+/g) ?? []).map(Number);
  if (!css.startsWith('rgb') || red === undefined || green === undefined || blue === undefined) {
    throw new Error(`Expected a colour such as rgb(1, 2, 3), got ${css}`);
  }
  return [red, green, blue, alpha];
}

function over(below: readonly number[], above: readonly number[]): number[] {
  const alpha = above[3] ?? 1;
  return below.slice(0, 3).map((value, i) => (above[i] ?? 0) * alpha + value * (1 - alpha));
}
