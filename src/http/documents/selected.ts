import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isObjectType,
  Kind,
  type GraphQLNamedType,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
} from 'graphql';
import { LIMITS, LimitExceeded } from './limits.ts';
import type { Operation } from './operation.ts';

/** A field as it is executed, once for all nodes with the same key in the response. */
export interface SelectedField {
  /** Its key in the response. */
  readonly key: string;
  readonly field: GraphQLField<unknown, unknown>;
  /** The nodes that are merged in it. Its arguments are those of the first. */
  readonly nodes: readonly [FieldNode, ...FieldNode[]];
  /** The selection in it, for each type that it may have; none for a leaf. */
  readonly inside: readonly SelectedObject[];
}

/** The selection in objects of one type. */
export interface SelectedObject {
  readonly type: GraphQLObjectType;
  readonly fields: readonly SelectedField[];
}

/** What has a selection. */
interface Parent {
  readonly selectionSet?: SelectionSetNode | undefined;
}

/**
 * Collects the fields of an operation as execution does (GraphQL specification, section 6.3.2). Fragments are spread out where their type
 * fits, and fields of the same key are merged. The selection of the same nodes is the same object wherever it is reached. Yet nodes under
 * conditions on types may be merged in another way for each path of types. So the selections are counted.
 *
 * @param schema the schema that the operation is valid against
 * @param operation the operation, already cut to its conditions
 * @returns the selection in the root
 * @throws {TypeError} when the schema has no such root
 * @throws {LimitExceeded} when there are too many selections
 */
export function selectedIn(schema: GraphQLSchema, { definition, fragments }: Operation): SelectedObject {
  const root = schema.getRootType(definition.operation);
  if (root == null) throw new TypeError(`Expected a schema with a type for each ${definition.operation}.`);
  return new Collector(schema, fragments).root(root, definition);
}

class Collector {
  readonly #schema: GraphQLSchema;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #known = new Map<GraphQLObjectType, Map<string, SelectedObject>>();
  readonly #insides = new Map<string, readonly SelectedObject[]>();
  readonly #numbers = new Map<object, number>();
  #count = 0;

  constructor(schema: GraphQLSchema, fragments: readonly FragmentDefinitionNode[]) {
    this.#schema = schema;
    this.#fragments = new Map(fragments.map((fragment) => [fragment.name.value, fragment]));
  }

  root(type: GraphQLObjectType, operation: OperationDefinitionNode): SelectedObject {
    return this.#collect(type, [operation], '');
  }

  /** @param key the same for the same parents */
  #collect(type: GraphQLObjectType, parents: readonly Parent[], key: string): SelectedObject {
    let ofType = this.#known.get(type);
    if (ofType === undefined) {
      ofType = new Map();
      this.#known.set(type, ofType);
    }
    const known = ofType.get(key);
    if (known !== undefined) return known;
    this.#countOne();
    const merged = new Map<string, [FieldNode, ...FieldNode[]]>();
    const spread = new Set<string>();
    for (const { selectionSet } of parents) this.#merge(type, selectionSet, merged, spread);
    const object = { type, fields: [...merged].flatMap(([key, nodes]) => this.#field(type, key, nodes) ?? []) };
    ofType.set(key, object);
    return object;
  }

  #merge(
    type: GraphQLObjectType,
    set: SelectionSetNode | undefined,
    into: Map<string, [FieldNode, ...FieldNode[]]>,
    spread: Set<string>,
  ): void {
    for (const node of set?.selections ?? []) {
      this.#countOne();
      if (node.kind === Kind.FIELD) {
        const key = node.alias?.value ?? node.name.value;
        const nodes = into.get(key);
        if (nodes === undefined) into.set(key, [node]);
        else nodes.push(node);
      } else if (node.kind === Kind.INLINE_FRAGMENT) {
        if (this.#fits(type, node.typeCondition?.name.value)) this.#merge(type, node.selectionSet, into, spread);
      } else if (!spread.has(node.name.value)) {
        spread.add(node.name.value);
        const fragment = this.#fragments.get(node.name.value);
        if (fragment !== undefined && this.#fits(type, fragment.typeCondition.name.value)) {
          this.#merge(type, fragment.selectionSet, into, spread);
        }
      }
    }
  }

  #fits(type: GraphQLObjectType, condition: string | undefined): boolean {
    if (condition === undefined || condition === type.name) return true;
    const other = this.#schema.getType(condition);
    return isAbstractType(other) && this.#schema.isSubType(other, type);
  }

  #field(parent: GraphQLObjectType, key: string, nodes: [FieldNode, ...FieldNode[]]): SelectedField | null {
    const field = this.#definition(parent, nodes[0].name.value);
    if (field === undefined) return null;
    const type = getNamedType(field.type);
    const types = isObjectType(type) ? [type] : isAbstractType(type) ? this.#schema.getPossibleTypes(type) : [];
    return { key, field, nodes, inside: types.length === 0 ? [] : this.#inside(type, types, nodes) };
  }

  /** The same array for the same type and nodes, so that types which show each other are not gone through for each pair. */
  #inside(named: GraphQLNamedType, types: readonly GraphQLObjectType[], nodes: readonly FieldNode[]) {
    const key = nodes.map((node) => this.#numberOf(node)).join();
    const place = `${named.name}:${key}`;
    let inside = this.#insides.get(place);
    if (inside === undefined) {
      inside = types.map((each) => this.#collect(each, nodes, key));
      this.#insides.set(place, inside);
    }
    return inside;
  }

  #numberOf(node: FieldNode): number {
    const number = this.#numbers.get(node) ?? this.#numbers.size;
    this.#numbers.set(node, number);
    return number;
  }

  #countOne(): void {
    this.#count += 1;
    if (this.#count > LIMITS.selections) throw new LimitExceeded('selections', this.#count);
  }

  #definition(parent: GraphQLObjectType, name: string): GraphQLField<unknown, unknown> | undefined {
    if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
    if (parent === this.#schema.getQueryType()) {
      if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
      if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
    }
    return parent.getFields()[name];
  }
}
