import type { GraphQLObjectType } from 'graphql';
import type { Cursor, ObjectPlan, PagePlan, Piece, Resolved, Source } from './plan.ts';

/** Makes one object of all selections that are the same. */
export type SameSelection = (text: string) => object;

/** A longer text is kept in UTF-8. */
const LONG = 256;

/**
 * @param name `nodes` or `edges`, or the name of another field
 * @param entry the plan of its items
 * @param type the type of its items
 * @param same makes one object of all selections that are the same
 * @returns how the entries of the page are written; `null` where they are no entries of a page, or need more than an entity and a page
 */
export function pagePlan(
  name: string,
  entry: ObjectPlan,
  type: GraphQLObjectType,
  same: SameSelection,
): PagePlan | null {
  const parts: PagePlan['parts'][number][] = [];
  for (const part of entry.parts) {
    if (typeof part === 'string') parts.push(part);
    else if (name === 'nodes') {
      if (part.kind === 'property') return null;
      parts.push(part);
    } else if (part.kind === 'leaf' && part.name === 'cursor') parts.push({ kind: 'cursor', text: part.text });
    else if (part.kind === 'property' && part.name === 'node') {
      for (const inner of part.inside.parts) {
        if (typeof inner !== 'string' && inner.kind === 'property') return null;
        parts.push(inner);
      }
    } else return null;
  }
  if (!parts.some((part) => typeof part !== 'string' && part.kind === 'leaf')) return null;
  const words = parts.map((part) => (typeof part === 'string' ? [part] : part.kind === 'leaf' ? part.name : null));
  const between = parts.filter((part): part is Cursor | Resolved => typeof part !== 'string' && part.kind !== 'leaf');
  return { selection: same(JSON.stringify([type.name, words])), parts, between };
}

/**
 * Writes the bodies of a page.
 *
 * @param plan how its entries are written
 * @param nodes its nodes, at least one
 * @returns the text in pieces; between two of them comes something that is no body's. Each entry has as many as the plan, in its order
 * @throws {NotAsPlanned} when a node differs from the plan
 */
export function piecesOf({ parts }: PagePlan, nodes: readonly Source[]): Piece[] {
  const pieces: Piece[] = [];
  let text = '[';
  const end = () => {
    pieces.push(text.length > LONG ? encoded(text) : text);
    text = '';
  };
  for (const [i, node] of nodes.entries()) {
    if (i > 0) text += ',';
    for (const part of parts) {
      if (typeof part === 'string') text += part;
      else if (part.kind === 'leaf') text += part.text(node[part.name]);
      else end();
    }
  }
  text += ']';
  end();
  return pieces;
}

/** It has memory of its own. A small Buffer would otherwise keep a part of Node's pool in memory. */
function encoded(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}
