import * as fc from 'fast-check';
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
  type OperationTypeNode,
} from 'graphql';
import { valuesOf } from './values.ts';

/** A variable that a document uses. */
interface Variable {
  readonly name: string;
  readonly type: string;
  readonly json: unknown;
}

/** A part of a document, and what the rest must have for it. */
interface Part {
  readonly text: string;
  readonly variables: readonly Variable[];
  readonly fragments: readonly string[];
}

/** A document that is valid, with variables that fit. */
export interface ValidDocument {
  readonly query: string;
  readonly operationName: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Beyond so many levels only what has no selection of its own is selected. */
const DEPTH = 5;

const part = (text: string): Part => ({ text, variables: [], fragments: [] });

const join = (parts: readonly Part[], text: (texts: string[]) => string): Part => ({
  text: text(parts.map((each) => each.text)),
  variables: parts.flatMap((each) => each.variables),
  fragments: parts.flatMap((each) => each.fragments),
});

/** Unlikely to come twice in a document, where the same name must mean the same. */
const name = fc.noBias(fc.integer({ min: 0, max: 0x7fff_ffff })).map((n) => `n${n.toString(36)}`);

/**
 * Makes documents that are valid against a schema, whatever types and fields it has.
 *
 * @param schema the schema
 * @param kind which root to ask
 * @returns documents with one operation
 */
export function validDocuments(schema: GraphQLSchema, kind: OperationTypeNode): fc.Arbitrary<ValidDocument> {
  const node = schema.getType('Node');
  const nodes = isAbstractType(node) ? schema.getPossibleTypes(node).map((type) => type.name) : [];
  const values = valuesOf(nodes);
  const selections = new Map<string, fc.Arbitrary<Part>>();

  const argument = ({ name: argumentName, type }: GraphQLArgument): fc.Arbitrary<Part> =>
    fc.tuple(values(type), fc.boolean(), name).map(([{ literal, json }, asVariable, variable]) => {
      if (!asVariable) return part(`${argumentName}: ${literal}`);
      const variables = [{ name: variable, type: String(type), json }];
      return { ...part(`${argumentName}: $${variable}`), variables };
    });

  const field = (definition: GraphQLField<unknown, unknown>, depth: number): fc.Arbitrary<Part> => {
    const given = definition.args.map((each) =>
      isRequiredArgument(each) ? argument(each) : fc.option(argument(each), { freq: 2, nil: null }),
    );
    const inside = isComposite(definition)
      ? selection(getNamedType(definition.type), depth - 1)
      : fc.constant(part(''));
    return fc.tuple(name, fc.tuple(...given), inside, fc.nat({ max: 19 })).map(([alias, args, selected, dice]) => {
      const directive = dice === 0 ? ' @include(if: true)' : dice === 1 ? ' @skip(if: false)' : '';
      return join([...args.filter((each) => each !== null), selected], (texts) => {
        const list = texts.slice(0, -1).join(', ');
        // With an alias of its own no field conflicts with another.
        return `${alias}: ${definition.name}${list === '' ? '' : `(${list})`}${directive} ${texts.at(-1) ?? ''}`;
      });
    });
  };

  const selection = (type: GraphQLNamedType, depth: number): fc.Arbitrary<Part> => {
    const key = `${type.name} ${depth}`;
    const known = selections.get(key);
    if (known !== undefined) return known;
    const fields = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
    const plain = fields.filter((each) => depth > 0 || !isComposite(each));
    const possible = isAbstractType(type) && depth > 0 ? schema.getPossibleTypes(type) : [];
    const entry = fc.oneof(
      { weight: 1, arbitrary: fc.constant(part('__typename')) },
      ...plain.map((each) => ({ weight: 4, arbitrary: field(each, depth) })),
      ...possible.map((each) => ({
        weight: 4,
        arbitrary: selection(each, depth - 1).map((inner) => ({ ...inner, text: `... on ${each.name} ${inner.text}` })),
      })),
    );
    const entries = fc.array(entry, { minLength: 1, maxLength: depth === DEPTH ? 3 : 2 });
    const made = fc.tuple(entries, name, fc.nat({ max: 9 })).map(([parts, fragment, dice]) => {
      const whole = join(parts, (texts) => texts.join(' '));
      if (dice > 1) return { ...whole, text: `{ ${whole.text} }` };
      if (dice === 1) return { ...whole, text: `{ ... on ${type.name} { ${whole.text} } }` };
      const definition = `fragment ${fragment} on ${type.name} { ${whole.text} }`;
      return { ...whole, text: `{ ...${fragment} }`, fragments: [...whole.fragments, definition] };
    });
    selections.set(key, made);
    return made;
  };

  const root = schema.getRootType(kind);
  if (root == null) throw new Error(`The schema has no ${kind}s.`);
  return fc.tuple(selection(root, DEPTH), name).map(([{ text, variables, fragments }, operationName]) => {
    const definitions = variables.map((variable) => `$${variable.name}: ${variable.type}`).join(', ');
    return {
      query: `${kind} ${operationName}${definitions === '' ? '' : `(${definitions})`} ${text}\n${fragments.join('\n')}`,
      operationName,
      variables: Object.fromEntries(variables.map((variable) => [variable.name, variable.json])),
    };
  });
}

function isComposite({ type }: GraphQLField<unknown, unknown>): boolean {
  const named = getNamedType(type);
  return isObjectType(named) || isAbstractType(named);
}
