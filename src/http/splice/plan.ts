import type { GraphQLObjectType, GraphQLResolveInfo } from 'graphql';
import type { SelectedField } from '../documents/selected.ts';
import type { LeafText } from './leaf-text.ts';

/** What is written of an object: text as it is, and between it what its fields say. */
export interface ObjectPlan {
  readonly parts: readonly (string | Leaf | Property | Resolved)[];
  /** Those that have to be executed before they can be written. */
  readonly executed: readonly (Property | Resolved)[];
}

/** A value that the object has. */
export interface Leaf {
  readonly kind: 'leaf';
  readonly name: string;
  readonly text: LeafText;
}

/** An object, or a list of objects, that the object has. */
export interface Property {
  readonly kind: 'property';
  readonly name: string;
  readonly key: string;
  readonly isNullable: boolean;
  /** Whether items of the list may be null; `null` where it is no list. */
  readonly hasNulls: boolean | null;
  readonly parent: GraphQLObjectType;
  readonly inside: ObjectPlan;
  /** How it is written where it is what a page has; `null` where that is not known. */
  readonly page: PagePlan | null;
}

/** An object that a resolver of Larder's finds, or none. */
export interface Resolved {
  readonly kind: 'resolved';
  readonly key: string;
  /** Where what it has found is kept, among all fields of its kind. */
  readonly place: number;
  readonly parent: GraphQLObjectType;
  readonly selected: SelectedField;
  readonly argumentsOf: (variables: Record<string, unknown>) => Record<string, unknown>;
  readonly inside: ObjectPlan;
}

/** What is planned of an operation. */
export interface SplicePlan {
  readonly root: ObjectPlan;
  /** Its resolved fields, by their places. */
  readonly fields: readonly Resolved[];
}

/** A cursor: the row of an entity has it, or another row that refers to it, so that it is no part of the entity's body. */
export interface Cursor {
  readonly kind: 'cursor';
  readonly text: LeafText;
}

/** How the entries of a page are written, of which memory keeps what their bodies say. */
export interface PagePlan {
  /** What is selected of the bodies: the same object for all documents that select the same. */
  readonly selection: object;
  readonly parts: readonly (string | Leaf | Cursor | Resolved)[];
  /** Those of the parts that are no bodies': what comes between the pieces that memory keeps, for each entry. */
  readonly between: readonly (Cursor | Resolved)[];
}

/** A place in the answer, as resolvers are told of theirs. */
export type Path = GraphQLResolveInfo['path'] | undefined;

/** An object of the answer whose fields are looked at. */
export type Source = Readonly<Record<string, unknown>>;

/** A part of a text: in UTF-8 where it is long, so that it need only be copied. */
export type Piece = string | Buffer;
