import type { GraphQLObjectType, GraphQLResolveInfo } from 'graphql';
import type { ArgumentsReader } from '../documents/arguments-reader.ts';
import type { SelectedField } from '../documents/selected.ts';
import type { LeafText } from './leaf-text.ts';

/** How an object is written: fixed texts, and its fields between them. */
export interface ObjectPlan {
  readonly parts: readonly (string | Leaf | Property | Resolved)[];
  /** The fields that must be executed before they can be written. */
  readonly executed: readonly (Property | Resolved)[];
}

/** A value of the object. */
export interface Leaf {
  readonly kind: 'leaf';
  readonly name: string;
  readonly text: LeafText;
}

/** An object, or a list of objects, in a property of the object. */
export interface Property {
  readonly kind: 'property';
  readonly name: string;
  readonly key: string;
  readonly isNullable: boolean;
  /** Whether items of the list may be null; `null` where it is no list. */
  readonly hasNulls: boolean | null;
  readonly parent: GraphQLObjectType;
  readonly inside: ObjectPlan;
  /** How it is written where it may be a page's entries; `null` where it is none. */
  readonly page: PagePlan | null;
}

/** An object that a resolver of Larder's finds, or null. */
export interface Resolved {
  readonly kind: 'resolved';
  readonly key: string;
  /** The index of its results, among all resolved fields. */
  readonly place: number;
  readonly parent: GraphQLObjectType;
  readonly selected: SelectedField;
  readonly argumentsOf: ArgumentsReader;
  readonly inside: ObjectPlan;
}

/** The plan of an operation. */
export interface SplicePlan {
  readonly root: ObjectPlan;
  /** Its resolved fields, by their indexes. */
  readonly fields: readonly Resolved[];
}

/** A cursor. It belongs to the row of an entity, or to another row that refers to it, so it is no part of the entity's body. */
export interface Cursor {
  readonly kind: 'cursor';
  readonly text: LeafText;
}

/** How the entries of a page are written. Memory keeps the texts of their bodies. */
export interface PagePlan {
  /** The selection of the bodies, the same object for all documents with the same selection. */
  readonly selection: object;
  readonly parts: readonly (string | Leaf | Cursor | Resolved)[];
  /** The parts that are no bodies'. They come between the pieces that memory keeps, for each entry. */
  readonly between: readonly (Cursor | Resolved)[];
}

/** A place in the answer, as resolvers know it. */
export type Path = GraphQLResolveInfo['path'] | undefined;

/** An object of the answer whose fields are read. */
export type Source = Readonly<Record<string, unknown>>;

/** A part of a text. A long one is in UTF-8, so that writing it is only a copy. */
export type Piece = string | Buffer;
