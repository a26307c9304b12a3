/** How many slots the keys of a cluster are spread over. */
export const SLOTS = 16_384;

/** The table of CRC-16/XMODEM, of which Redis Cluster takes the slot. */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80_00 ? (crc << 1) ^ 0x10_21 : crc << 1;
  return crc;
});

/**
 * @param key a key
 * @returns the slot that it is in: of what stands between its first braces, where that is anything, else of all of it
 *   (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags)
 */
export function slotOf(key: string): number {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  const bytes = Buffer.from(close > open + 1 ? key.slice(open + 1, close) : key);
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) & 0xff_ff) ^ (TABLE[((crc >> 8) ^ byte) & 0xff] ?? 0);
  return crc % SLOTS;
}

/** Slots from the first to the last. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
}

/**
 * @param ranges some slots
 * @param slot a slot
 * @returns whether it is one of them
 */
export function hasSlot(ranges: readonly SlotRange[], slot: number): boolean {
  return ranges.some(({ first, last }) => slot >= first && slot <= last);
}

/** The tags that were found, by the first slot of the ranges: every process finds the same. */
const tags = new Map<number, string>();

/**
 * Finds what to put between braces so that a key lies in the slots of a node.
 *
 * @param ranges the slots of the node
 * @returns the number that leads to the first of them; 0 where there are none
 */
export function tagIn(ranges: readonly SlotRange[]): string {
  const slot = ranges.reduce((least, { first }) => Math.min(least, first), SLOTS);
  if (slot === SLOTS) return '0';
  let tag = tags.get(slot);
  for (let i = 0; tag === undefined; i += 1) if (slotOf(String(i)) === slot) tag = String(i);
  tags.set(slot, tag);
  return tag;
}
