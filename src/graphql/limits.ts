import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';

/** What a document may be made of, whatever it costs. */
export const LIMITS = {
  tokens: 5_000,
  /** Fields inside of fields. Introspection, which needs fifteen levels, has a limit of its own. */
  depth: 12,
  introspectionDepth: 20,
  /** Fields of one selection, fragments spread out. */
  breadth: 200,
  /** Fields of the whole operation, fragments spread out. */
  fields: 2_000,
  aliases: 100,
  directives: 50,
};

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
  let aliases = 0;
  let directives = 0;
  visit(document, {
    Field: (node) => {
      if (node.alias !== undefined) aliases += 1;
    },
    Directive: () => {
      directives += 1;
    },
  });
  if (aliases > LIMITS.aliases) throw new LimitExceeded('aliases', aliases);
  if (directives > LIMITS.directives) throw new LimitExceeded('directives', directives);
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
}

/** How much a selection holds. */
interface Size {
  readonly depth: number;
  readonly breadth: number;
  readonly fields: number;
}

const NOTHING: Size = { depth: 0, breadth: 0, fields: 0 };

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
    }
    const deepest = introspection ? 'introspectionDepth' : 'depth';
    for (const [limit, found] of [
      [deepest, size.depth],
      ['breadth', size.breadth],
      ['fields', size.fields],
    ] as const) {
      if (found > LIMITS[limit]) throw new LimitExceeded(limit, found);
    }
    sizes.set(set, size);
    return size;
  };

  const measureNode = (node: SelectionNode, introspection: boolean): Size => {
    if (node.kind === Kind.FRAGMENT_SPREAD) {
      const fragment = fragments.get(node.name.value);
      return fragment === undefined ? NOTHING : measure(fragment.selectionSet, introspection);
    }
    if (node.kind === Kind.INLINE_FRAGMENT) return measure(node.selectionSet, introspection);
    const inside = introspection || introspects(node.name.value);
    const { depth, fields } = node.selectionSet === undefined ? NOTHING : measure(node.selectionSet, inside);
    // What hangs on introspection is not data: seen from above it is flat.
    return { depth: inside && !introspection ? 1 : depth + 1, breadth: 1, fields: fields + 1 };
  };
  return measure;
}

/** The names of introspection's own fields and types start so, and no others do. */
function introspects(name: string): boolean {
  return name.startsWith('__');
}
