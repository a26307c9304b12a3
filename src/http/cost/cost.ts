import { type GraphQLField, getArgumentValues, getNamedType, getNullableType, isListType } from 'graphql';
import { DEFAULT_PAGE_SIZE, pageSizeOf } from '../../pothos/connection.ts';
import { numberOfIds } from '../../pothos/node.ts';
import type { SelectedField, SelectedObject } from '../documents/selected.ts';
import { assumedLength, countEntries, entriesOf } from './entries.ts';

/**
 * What a field's extensions may say about its cost. By default, a field costs a point when it has fields itself. Otherwise it costs
 * nothing, since values come with their object.
 */
interface CostExtensions {
  /** The points of the field itself. */
  readonly cost?: number;
  /** The entity type whose page it answers. */
  readonly listOf?: string;
}

/** What a field says of the lists in what it answers. */
interface Sized {
  readonly entries: number;
  /** The type of the page that has the lists, which may be within another object; `null` when the field's own type has them. */
  readonly page: string | null;
}

/** A field as it is executed, with its price. */
export interface PricedField {
  readonly key: string;
  /** The points of the field and all that is in it, where it is selected once. */
  readonly cost: number;
  /** How many nodes it may bring, whether or not they are read. */
  readonly nodes: number;
  /** Whether it determines the number of entries of a list. */
  readonly isSized: boolean;
  /** The argument that does so; `null` for none. */
  readonly argument: string | null;
  /** The fields in it, of the type whose objects cost the most. */
  readonly inside: readonly PricedField[];
}

/** The selection in an object, with its price. */
interface PricedObject {
  readonly cost: number;
  readonly nodes: number;
  readonly fields: readonly PricedField[];
}

/** The price of an operation. */
interface Price extends PricedObject {
  /** Whether it may depend on more of the variables than numbers, flags and the lengths of lists. */
  readonly readsTexts: boolean;
}

/** Larder's own. Those of an application may read any argument. */
const BY_SIZE: ReadonlySet<unknown> = new Set([pageSizeOf, numberOfIds]);

/**
 * Prices what is selected in objects of one type. A point is an object: a page, an entry of it, or what a field refers to. The object's
 * values come with it, each once. A value under a second name costs a point; otherwise a client could have one text a hundred times for
 * nothing.
 *
 * @param selected the selection, merged as it is executed
 * @param variables the coerced variables
 * @returns its price
 * @throws {GraphQLError} when a variable gives null to a required argument
 */
export function price(selected: SelectedObject, variables: Record<string, unknown>): Price {
  const pricer = new Pricer(variables);
  const { cost, nodes, fields } = pricer.object(selected, null);
  return { cost, nodes, fields, readsTexts: pricer.readsTexts };
}

/** What a field costs that has nothing selected in it. */
const NOTHING: PricedObject = { cost: 0, nodes: 0, fields: [] };

/** Prices what is selected in a field once for each number of entries, since it may be reached on many ways. */
class Pricer {
  readsTexts = false;
  readonly #variables: Record<string, unknown>;
  readonly #most = new Map<readonly SelectedObject[], Map<string, PricedObject>>();

  constructor(variables: Record<string, unknown>) {
    this.#variables = variables;
  }

  /** @param sized how many entries its lists have; `null` when nothing says so */
  object(selected: SelectedObject, sized: Sized | null): PricedObject {
    const before = new Set<SelectedField['field']>();
    const fields = selected.fields.map((field) => {
      const again = before.has(field.field);
      before.add(field.field);
      return this.#field(field, sized, again);
    });
    return { fields, cost: sum(fields, ({ cost }) => cost), nodes: sum(fields, ({ nodes }) => nodes) };
  }

  /** The most that one of the types in a field costs. */
  #mostOf(inside: readonly SelectedObject[], sized: Sized | null): PricedObject {
    if (inside.length === 0) return NOTHING;
    let ofInside = this.#most.get(inside);
    if (ofInside === undefined) {
      ofInside = new Map();
      this.#most.set(inside, ofInside);
    }
    const key = sized === null ? '' : `${sized.entries} ${sized.page}`;
    const known = ofInside.get(key);
    if (known !== undefined) return known;
    let most = NOTHING;
    let nodes = 0;
    for (const selected of inside) {
      const object = this.object(selected, sized);
      nodes = Math.max(nodes, object.nodes);
      if (object.cost > most.cost) most = object;
    }
    const found = { ...most, nodes };
    ofInside.set(key, found);
    return found;
  }

  #field({ key, field, nodes: [node], inside }: SelectedField, sized: Sized | null, again: boolean): PricedField {
    const { cost: own, listOf } = extensionsOf(field);
    const entries = entriesOf(field);
    const isSized = entries !== undefined;
    if (isSized && !BY_SIZE.has(entries)) this.readsTexts = true;
    const args = isSized ? getArgumentValues(field, node, this.#variables) : {};
    const size = isSized ? countEntries(field, entries, args) : null;
    const isList = inside.length > 0 && isListType(getNullableType(field.type));
    // A page may be within another object, such as the result of Pothos' errors plugin. Other objects beside it have lists of their own.
    const { name } = getNamedType(field.type);
    const ofPage = sized !== null && name === sized.page ? { ...sized, page: null } : null;
    const page = listOf === undefined || name === `${listOf}Connection` ? null : `${listOf}Connection`;
    const most = this.#mostOf(inside, isList ? null : size === null ? ofPage : { entries: size, page });
    const { nodes } = most;
    const result = { key, isSized, argument: isSized ? sizeArgument(field, args) : null, inside: most.fields };
    if (isList) {
      const length = size ?? sized?.entries ?? assumedLength(field);
      return { ...result, cost: (isSized ? 1 : 0) + length * (1 + most.cost), nodes: length * nodes };
    }
    const points = own ?? (inside.length > 0 ? 1 : 0);
    return { ...result, cost: Math.max(points, again ? 1 : 0) + most.cost, nodes: (size ?? 0) + nodes };
  }
}

/**
 * Describes a field's cost in words.
 *
 * @param field the field
 * @param isComposite whether it has fields itself
 * @param isOfPage whether it is a field of a page
 * @returns a sentence for the field's description
 */
export function costText(field: GraphQLField<unknown, unknown>, isComposite: boolean, isOfPage: boolean): string {
  const { cost } = extensionsOf(field);
  const entries = entriesOf(field);
  const isList = isListType(getNullableType(field.type));
  if (entries !== undefined && isList) return 'Cost: 1, and what is selected in it times the number of entries.';
  if (entries !== undefined) {
    return 'Cost: 1, and what is selected in it times the size of the page, but `pageInfo` and `totalCount` once.';
  }
  if (isComposite && isList && isOfPage) return 'Cost: 1 for each entry.';
  if (isComposite && isList) return `Cost: 1 for each entry, of which ${DEFAULT_PAGE_SIZE} are assumed.`;
  return `Cost: ${cost ?? (isComposite ? 1 : 0)}.`;
}

function extensionsOf(field: GraphQLField<unknown, unknown>): CostExtensions {
  return field.extensions;
}

/** The argument that says how many entries a list has. It is a number for a page, and a list itself for other lists. */
function sizeArgument(field: GraphQLField<unknown, unknown>, args: Record<string, unknown>): string | null {
  const pages = ['first', 'last'].filter((name) => field.args.some((argument) => argument.name === name));
  const lists = Object.keys(args).filter((name) => Array.isArray(args[name]));
  return pages.find((name) => typeof args[name] === 'number') ?? pages[0] ?? lists[0] ?? null;
}

function sum(fields: readonly PricedField[], pick: (field: PricedField) => number): number {
  return fields.reduce((total, field) => total + pick(field), 0);
}
