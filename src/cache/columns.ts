import { createHash } from 'node:crypto';

/** How many characters of a hash distinguish the forms of a column. */
const HASH_LENGTH = 8;

/** How many shapes of other code versions are remembered. */
const MAX_KNOWN = 100;

/** How many values for other code versions an entry keeps. */
const MAX_OTHERS = 100;

/** An entity as an entry holds it: its values by field, and values of columns in forms that its writer does not know. */
export interface StoredEntity {
  readonly shape: string;
  /** The hashes of the columns, in the order of the fields. */
  readonly columns: string;
  readonly entity: Readonly<Record<string, unknown>>;
  /** Values for other code versions, by their columns' hashes. */
  readonly others?: Readonly<Record<string, unknown>>;
}

/** Where the values of this shape are in entries of another shape. */
interface Plan {
  /** The fields that the entry has in the same form. */
  readonly shared: readonly string[];
  /** The fields that the entry lacks or has in another form, with their hashes. The entry may have these among its values for others. */
  readonly lacking: readonly (readonly [field: string, hash: string])[];
  /** The fields that the entry has and this shape does not, with their hashes. */
  readonly foreign: readonly (readonly [field: string, hash: string])[];
}

/**
 * The columns of an entity, each with what its values depend on. Two versions of the code may share an entry, and so may the same code
 * before and after a change of the table. Each uses the columns that both have in the same form.
 */
export class Columns {
  /** A hash that distinguishes these columns, in these forms, from all others. */
  readonly shape: string;
  /** The hashes of the columns, in the order of the fields. */
  readonly text: string;
  readonly #hashes: ReadonlyMap<string, string>;
  readonly #plans = new Map<string, Plan>();

  /** @param forms what the values of each field depend on, by field */
  constructor(forms: Readonly<Record<string, unknown>>) {
    const hashes = Object.entries(forms).map(([field, form]) => [field, hash([field, form], HASH_LENGTH)] as const);
    this.#hashes = new Map(hashes);
    this.text = hashes.map(([, text]) => text).join('');
    this.shape = hash(hashes, 12);
  }

  /** The hash of the key's column. Entries with the same hash are of rows of the same table. */
  get key(): string {
    return this.#hashes.get('id') ?? '';
  }

  /**
   * @param stored an entity of any shape
   * @returns its values of these columns, by field; `null` when it lacks one
   */
  take(stored: StoredEntity): Record<string, unknown> | null {
    const { shared, lacking } = this.#planFor(stored);
    const { entity, others = {} } = stored;
    for (const [, own] of lacking) if (!Object.hasOwn(others, own)) return null;
    const found: Record<string, unknown> = {};
    for (const field of shared) found[field] = entity[field];
    for (const [field, own] of lacking) found[field] = others[own];
    return found;
  }

  /**
   * Selects the values for other code versions that a new entry of the same row and version keeps.
   *
   * @param stored an entity of another shape
   * @returns the values that these columns do not hold, by their hashes
   */
  othersOf(stored: StoredEntity): Record<string, unknown> {
    const own = new Set(this.#hashes.values());
    const kept = Object.entries(stored.others ?? {}).filter(([known]) => !own.has(known));
    for (const [field, known] of this.#planFor(stored).foreign) kept.push([known, stored.entity[field]]);
    return Object.fromEntries(kept.slice(0, MAX_OTHERS));
  }

  #planFor({ shape, columns, entity }: StoredEntity): Plan {
    let plan = this.#plans.get(shape);
    if (plan === undefined) {
      plan = this.#makePlan(Object.keys(entity), columns);
      if (this.#plans.size >= MAX_KNOWN) this.#plans.clear();
      this.#plans.set(shape, plan);
    }
    return plan;
  }

  #makePlan(fields: readonly string[], columns: string): Plan {
    const theirs = fields.map((field, i) => [field, columns.slice(i * HASH_LENGTH, (i + 1) * HASH_LENGTH)] as const);
    const isShared = ([field, known]: readonly [string, string]) => this.#hashes.get(field) === known;
    const shared = new Set(theirs.filter(isShared).map(([field]) => field));
    return {
      shared: [...shared],
      lacking: [...this.#hashes].filter(([field]) => !shared.has(field)),
      foreign: theirs.filter((column) => !isShared(column)),
    };
  }
}

function hash(value: unknown, length: number): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, length);
}
