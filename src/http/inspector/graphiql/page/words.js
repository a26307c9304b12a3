/**
 * Numbers as the inspector writes them.
 */

/** A number with its noun, such as `1 row` or `25 rows`. */
export function count(number, noun, plural = `${noun}s`) {
  return `${number} ${number === 1 ? noun : plural}`;
}

/** Milliseconds to two digits: more would be noise, and less would make all warm statements look alike. */
export function milliseconds(ms) {
  const digits = ms >= 9.95 ? 0 : ms >= 0.995 ? 1 : 2;
  return `${ms.toFixed(digits)} ms`;
}

/** A share in percent, which is 100 only for the whole and 0 only for nothing. */
export function percent(part, whole) {
  const rounded = Math.round((100 * part) / whole);
  const shown = part > 0 && part < whole ? Math.min(Math.max(rounded, 1), 99) : rounded;
  return `${shown} %`;
}
