import { Connection } from '../../pothos/shapes.ts';
import type { Output } from './output.ts';
import { piecesOf } from './page-plan.ts';
import type { ObjectPlan, PagePlan, Piece, Property, Resolved, Source } from './plan.ts';
import { type Found, insideOf } from './resolve-fields.ts';

/** Writes the answer, once all of its objects were found. */
export class Writer {
  readonly #out: Output;
  readonly #found: Found['objects'];
  /** How many objects of each resolved field were written. */
  readonly #written: number[];

  /**
   * @param found the results of the resolvers
   * @param out receives the answer
   */
  constructor({ objects }: Found, out: Output) {
    this.#out = out;
    this.#found = objects;
    this.#written = objects.map(() => 0);
  }

  /**
   * @param plan the selection
   * @param source an object
   * @throws {NotAsPlanned} when the object differs from the plan
   */
  object({ parts }: ObjectPlan, source: Source): void {
    for (const part of parts) {
      if (typeof part === 'string') this.#out.text(part);
      else if (part.kind === 'leaf') this.#out.text(part.text(source[part.name]));
      else if (part.kind === 'property') this.#property(part, source);
      else this.#resolved(part);
    }
  }

  #resolved({ place, inside }: Resolved): void {
    const i = this.#written[place] ?? 0;
    this.#written[place] = i + 1;
    this.#orNull(inside, this.#found[place]?.[i] ?? null);
  }

  /** Writes the pieces that memory keeps of a page, and between them what is no body's. */
  #page({ between }: PagePlan, pieces: readonly Piece[], edges: () => readonly { readonly cursor: unknown }[]): void {
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) {
        const part = between[(i - 1) % between.length] as (typeof between)[number];
        const entry = Math.floor((i - 1) / between.length);
        if (part.kind === 'cursor') this.#out.text(part.text(edges()[entry]?.cursor));
        else this.#resolved(part);
      }
      this.#out.piece(piece);
    }
  }

  #property(field: Property, source: Source): void {
    const { page } = field;
    if (page !== null && source instanceof Connection) {
      const pieces = source.written(page.selection, (nodes) =>
        piecesOf(page, nodes as readonly object[] as readonly Source[]),
      );
      if (pieces !== null) {
        this.#page(page, pieces, () => source.edges);
        return;
      }
    }
    const inside = insideOf(field, source);
    if (!Array.isArray(inside)) this.#orNull(field.inside, inside as Source | null);
    else {
      this.#out.text('[');
      for (const [i, item] of inside.entries()) {
        if (i > 0) this.#out.text(',');
        this.#orNull(field.inside, item);
      }
      this.#out.text(']');
    }
  }

  #orNull(plan: ObjectPlan, object: Source | null): void {
    if (object == null) this.#out.text('null');
    else this.object(plan, object);
  }
}
