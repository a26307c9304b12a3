/** How Grafana's units are written. */
const UNITS: Readonly<Record<string, (value: number) => string>> = {
  none: (value) => digits(value),
  reqps: (value) => `${digits(value)} req/s`,
  ops: (value) => `${digits(value)}/s`,
  percentunit: (value) => `${digits(value * 100)} %`,
  s: (value) => (value < 1 ? `${digits(value * 1000)} ms` : `${digits(value)} s`),
};

/**
 * @param value a number
 * @param unit its unit, by Grafana's name
 * @returns the number as a panel writes it
 * @throws when the unit is not known
 */
export function withUnit(value: number, unit: string): string {
  const write = UNITS[unit];
  if (write === undefined) throw new Error(`Expected a unit among ${Object.keys(UNITS).join(', ')}, got ${unit}.`);
  return write(value);
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(2)));
}
