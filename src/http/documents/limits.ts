import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';

/** The limits of a document's form, whatever it costs. */
export const LIMITS = {
  /** Characters of its text. Comments and commas are no tokens, but are read, too. */
  characters: 100_000,
  tokens: 5_000,
  /** Fields within fields. Introspection needs fifteen levels, and has a limit of its own. */
  depth: 12,
  introspectionDepth: 20,
  /** Fields of one selection, fragments spread out; a fragment counts as at least one. */
  breadth: 200,
  /** Fields of the whole operation, fragments spread out. */
  fields: 2_000,
  aliases: 100,
  directives: 50,
  /** Operations, though only one is executed. Validation reads each with all its fragments. */
  operations: 20,
  /** Levels of the syntax tree. Recursive code (printing, copying, comparing) is safe far beyond that. */
  nesting: 100,
  /** Fields that introspection may bring, if each of its lists has ten entries. The standard query brings 52,000. */
  introspectedFields: 100_000,
  /** Selections, fragments spread out, each again for each type that its object may have. They are counted while they are collected. */
  selections: 50_000,
};

/** The assumed number of entries of a list in introspection. */
const LIST = 10;

/** The lists of introspection (GraphQL specification, section 4.2). */
const LISTS = new Set([
  ...['types', 'directives', 'fields', 'args', 'inputFields', 'enumValues', 'interfaces', 'possibleTypes'],
]);

/** A document exceeds a limit. */
export class LimitExceeded extends Error {
  override name = 'LimitExceeded';
  /** Which limit. */
  readonly limit: keyof typeof LIMITS;

  /**
   * @param limit which limit
   * @param found the document's number
   */
  constructor(limit: keyof typeof LIMITS, found: number) {
    super(`Expected a document with ${limit} of at most ${LIMITS[limit]}, got ${found}.`);
    this.limit = limit;
  }
}

/**
 * Checks a document before it is validated, because validation of some documents takes minutes. The check itself takes time in proportion
 * to the document's length: a fragment is measured once, however often it is spread.
 *
 * @param document the parsed document
 * @throws {LimitExceeded} naming the first limit that it exceeds
 */
export function checkLimits(document: DocumentNode): void {
  const count = countNodes(document);
  for (const limit of ['aliases', 'directives', 'operations'] as const) {
    if (count[limit] > LIMITS[limit]) throw new LimitExceeded(limit, count[limit]);
  }
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  }
  const measure = measurer(fragments);
  for (const node of document.definitions) {
    if (node.kind === Kind.OPERATION_DEFINITION) measure(node.selectionSet, false);
    else if (node.kind === Kind.FRAGMENT_DEFINITION)
      measure(node.selectionSet, introspects(node.typeCondition.name.value));
  }
  if (count.nesting > LIMITS.nesting) throw new LimitExceeded('nesting', count.nesting);
}

function countNodes(document: DocumentNode) {
  const count = { aliases: 0, directives: 0, operations: 0, nesting: 0 };
  let level = 0;
  visit(document, {
    enter: (node) => {
      level += 1;
      count.nesting = Math.max(count.nesting, level);
      if (node.kind === Kind.FIELD && node.alias !== undefined) count.aliases += 1;
      else if (node.kind === Kind.DIRECTIVE) count.directives += 1;
      else if (node.kind === Kind.OPERATION_DEFINITION) count.operations += 1;
    },
    leave: () => {
      level -= 1;
    },
  });
  return count;
}

/** The size of a selection. */
interface Size {
  readonly depth: number;
  readonly breadth: number;
  readonly fields: number;
  /** Fields that introspection may bring. */
  readonly introspected: number;
}

const NOTHING: Size = { depth: 0, breadth: 0, fields: 0, introspected: 0 };

/** Measures selections. The size of a fragment is remembered. A cycle counts as nothing, since validation refuses it. */
function measurer(fragments: Map<string, FragmentDefinitionNode>) {
  const sizes = new Map<SelectionSetNode, Size>();

  const measure = (set: SelectionSetNode, introspection: boolean): Size => {
    const known = sizes.get(set);
    if (known !== undefined) return known;
    sizes.set(set, NOTHING);
    const size = { ...NOTHING };
    for (const node of set.selections) {
      const inner = measureNode(node, introspection);
      size.depth = Math.max(size.depth, inner.depth);
      size.breadth += inner.breadth;
      size.fields += inner.fields;
      size.introspected += inner.introspected;
    }
    const deepest = introspection ? 'introspectionDepth' : 'depth';
    for (const [limit, found] of [
      [deepest, size.depth],
      ['breadth', size.breadth],
      ['fields', size.fields],
      ['introspectedFields', size.introspected],
    ] as const) {
      if (found > LIMITS[limit]) throw new LimitExceeded(limit, found);
    }
    sizes.set(set, size);
    return size;
  };

  const measureNode = (node: SelectionNode, introspection: boolean): Size => {
    if (node.kind === Kind.FRAGMENT_SPREAD) {
      const fragment = fragments.get(node.name.value);
      const size = fragment === undefined ? NOTHING : measure(fragment.selectionSet, introspection);
      // Validation compares spread fragments with each other, even if they hold nothing that it knows.
      return { ...size, breadth: Math.max(size.breadth, 1) };
    }
    if (node.kind === Kind.INLINE_FRAGMENT) return measure(node.selectionSet, introspection);
    const inside = introspection || introspects(node.name.value);
    const inner = node.selectionSet === undefined ? NOTHING : measure(node.selectionSet, inside);
    const entries = LISTS.has(node.name.value) ? LIST : 1;
    return {
      // Introspection below a field is no data, and counts as flat there.
      depth: inside && !introspection ? 1 : inner.depth + 1,
      breadth: 1,
      fields: inner.fields + 1,
      introspected: inside ? 1 + inner.introspected * entries : inner.introspected,
    };
  };
  return measure;
}

/** Only introspection's own fields and types have such names. */
function introspects(name: string): boolean {
  return name.startsWith('__');
}
