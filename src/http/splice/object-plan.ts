import {
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  OperationTypeNode,
  TypeNameMetaFieldDef,
} from 'graphql';
import { isExecutedAgain } from '../../pothos/selection.ts';
import { argumentsReader } from '../documents/arguments-reader.ts';
import type { Operation } from '../documents/operation.ts';
import { type SelectedField, type SelectedObject, selectedIn } from '../documents/selected.ts';
import { leafText } from './leaf-text.ts';
import { pagePlan, type SameSelection } from './page-plan.ts';
import type { Leaf, ObjectPlan, Property, Resolved, SplicePlan } from './plan.ts';

/**
 * Plans how the answer to an operation is written. It covers queries of Larder's own fields, and fields of objects without a resolver:
 * columns, pages, edges. An operation with any other field is executed as a whole in another way.
 *
 * @param schema the schema that the operation is valid against
 * @param operation the operation, already cut to its conditions
 * @param same makes one object of all selections that are the same
 * @returns the plan; `null` when it does not cover a selected field
 */
export function splicePlan(schema: GraphQLSchema, operation: Operation, same: SameSelection): SplicePlan | null {
  if (operation.definition.operation !== OperationTypeNode.QUERY) return null;
  const planner = new Planner(same);
  const root = planner.object(selectedIn(schema, operation));
  // The root has no object with values of its own.
  const isCovered = root?.parts.every((part) => typeof part === 'string' || part.kind === 'resolved') === true;
  return root !== null && isCovered ? { root, fields: planner.fields } : null;
}

class Planner {
  readonly fields: Resolved[] = [];
  readonly #same: SameSelection;

  constructor(same: SameSelection) {
    this.#same = same;
  }

  object({ type, fields }: SelectedObject): ObjectPlan | null {
    if (type.isTypeOf != null) return null;
    const parts: (string | Leaf | Property | Resolved)[] = [];
    let text = '{';
    for (const selected of fields) {
      const { key, field } = selected;
      text += `${text === '{' && parts.length === 0 ? '' : ','}"${key}":`;
      if (field === TypeNameMetaFieldDef) {
        text += `"${type.name}"`;
        continue;
      }
      const part = this.#field(type, selected);
      if (part === null) return null;
      parts.push(text, part);
      text = '';
    }
    parts.push(`${text}}`);
    const executed = parts.filter(
      (part): part is Property | Resolved =>
        typeof part !== 'string' &&
        (part.kind === 'resolved' || (part.kind === 'property' && part.inside.executed.length > 0)),
    );
    return { parts, executed };
  }

  #field(parent: GraphQLObjectType, selected: SelectedField): Leaf | Property | Resolved | null {
    const { key, field, nodes, inside } = selected;
    const named = getNamedType(field.type);
    if (isLeafType(named)) {
      return field.resolve === undefined ? { kind: 'leaf', name: field.name, text: leafText(field.type) } : null;
    }
    const [only] = inside;
    if (!isObjectType(named) || only === undefined) return null;
    if (field.resolve === undefined) {
      const type = nullableOf(field.type);
      const item = isListType(type) ? (type.ofType as GraphQLOutputType) : null;
      if (item !== null && isListType(nullableOf(item))) return null;
      const plan = this.object(only);
      return (
        plan && {
          kind: 'property',
          name: field.name,
          key,
          isNullable: type === field.type,
          hasNulls: item && !isNonNullType(item),
          parent,
          inside: plan,
          page: item && pagePlan(field.name, plan, named, this.#same),
        }
      );
    }
    // Such a field must be allowed to be null. Then its failure makes nothing else null.
    if (field.extensions.larder === undefined || !isObjectType(field.type)) return null;
    const plan = this.object(only);
    if (plan === null) return null;
    isExecutedAgain(nodes);
    const argumentsOf = argumentsReader(field, nodes[0]);
    const found: Resolved = {
      kind: 'resolved',
      key,
      place: this.fields.length,
      parent,
      selected,
      argumentsOf,
      inside: plan,
    };
    this.fields.push(found);
    return found;
  }
}

function nullableOf(type: GraphQLOutputType): GraphQLOutputType {
  return isNonNullType(type) ? type.ofType : type;
}
