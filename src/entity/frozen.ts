/** These methods change a Date in place. `Object.freeze` does not stop them, since a Date's time is no property. */
const DATE_SETTERS = Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith('set'));

const LOCKED: PropertyDescriptorMap = Object.fromEntries(
  DATE_SETTERS.map((name) => [
    name,
    {
      value: () => {
        throw new TypeError(`Cannot call ${name}: the Date belongs to a cached entity. Copy it first: new Date(date).`);
      },
    },
  ]),
);

/**
 * Freezes a value deeply: arrays and plain objects with all that is in them, and Dates, whose setters throw from then on.
 *
 * @param value any value that nobody else holds
 * @returns whether nothing of it can be changed any more; `false` for bytes, a Map or an object of another class, which cannot be frozen
 */
export function freezeThrough(value: unknown): boolean {
  if (typeof value === 'function') return false;
  return typeof value !== 'object' || value === null || freezeObject(value, new Set());
}

function freezeObject(value: object, seen: Set<object>): boolean {
  if (seen.has(value)) return true;
  seen.add(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Date.prototype) {
    if (!Object.isFrozen(value)) Object.freeze(Object.defineProperties(value, LOCKED));
    return true;
  }
  if (prototype !== Array.prototype && prototype !== Object.prototype && prototype !== null) return false;
  let whole = true;
  for (const key of Reflect.ownKeys(value)) {
    const part = Object.getOwnPropertyDescriptor(value, key);
    const inner: unknown = part?.value;
    if (part?.get !== undefined || typeof inner === 'function') whole = false;
    else if (typeof inner === 'object' && inner !== null && !freezeObject(inner, seen)) whole = false;
  }
  Object.freeze(value);
  return whole;
}
