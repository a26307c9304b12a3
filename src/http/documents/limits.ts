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
  /** Characters of its text, which are read one by one: comments and commas are no tokens. */
  characters: 100_000,
  tokens: 5_000,
  /** Fields inside of fields. Introspection, which needs fifteen levels, has a limit of its own. */
  depth: 12,
  introspectionDepth: 20,
  /** Fields of one selection, fragments spread out; a fragment is at least one. */
  breadth: 200,
  /** Fields of the whole operation, fragments spread out. */
  fields: 2_000,
  aliases: 100,
  directives: 50,
  /** Operations, of which one is executed. Validation looks at each together with all its fragments. */
  operations: 20,
  /** Levels of the syntax tree. What follows it by recursion (printing, copying, comparing) is safe far beyond that. */
  nesting: 100,
  /** Fields that introspection may bring, by the guess that each of its lists has ten entries; the standard query: 52,000. */
  introspectedFields: 100_000,
};

/** Entries of a list that introspection brings, as far as limits go. */
const LIST = 10;

/** The lists of introspection (GraphQL specification, section 4.2). */
const LISTS = new Set([
  ...['types', 'directives', 'fields', 'args', 'inputFields', 'enumValues', 'interfaces', 'possibleTypes'],
]);

/** A document goes beyond a limit. */
export class LimitExceeded extends Error {
  override name = 'LimitExceeded';
  /** Which limit. */
  readonly limit: keyof typeof LIMITS;

  /**
   * @param limit which limit
   * @param found what the document has
   */
  constructor(limit: keyof typeof LIMITS, found: number) {
    super(`Expected a document with ${limit} of at most ${LIMITS[limit]}, got ${found}.`);
    this.limit = limit;
  }
}

/**
 * Checks a document before it is validated, because validation itself can be made to take minutes. Its time grows with the
 * document's length alone: a fragment is measured once, however often it is spread.
 *
 * @param document the parsed document
 * @throws {LimitExceeded} naming the first limit that it goes beyond
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

/** Measures selections; what a fragment holds is remembered, and a cycle, which validation refuses, counts as nothing. */
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
      // Validation compares what is spread side by side, even if it holds nothing that it knows.
      return { ...size, breadth: Math.max(size.breadth, 1) };
    }
    if (node.kind === Kind.INLINE_FRAGMENT) return measure(node.selectionSet, introspection);
    const inside = introspection || introspects(node.name.value);
    const inner = node.selectionSet === undefined ? NOTHING : measure(node.selectionSet, inside);
    const entries = LISTS.has(node.name.value) ? LIST : 1;
    return {
      // What hangs on introspection is not data: seen from above it is flat.
      depth: inside && !introspection ? 1 : inner.depth + 1,
      breadth: 1,
      fields: inner.fields + 1,
      introspected: inside ? 1 + inner.introspected * entries : inner.introspected,
    };
  };
  return measure;
}

/** The names of introspection's own fields and types start so, and no others do. */
function introspects(name: string): boolean {
  return name.startsWith('__');
}
