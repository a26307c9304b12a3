import {
  type GraphQLArgument,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getNullableType,
  isListType,
  TypeInfo,
  valueFromAST,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { decodeGlobalId, expectedId } from '../../pothos/global-id.ts';
import { isIdOf } from '../../pothos/node.ts';
import type { LarderContext } from '../../repository/context.ts';
import type { Plan } from '../documents/plans.ts';

/**
 * Tells a developer which ids of an operation cannot name anything. For a client they are like ids of nodes that do not exist, since an
 * error would hide other data.
 *
 * @param schema the schema
 * @param operation the operation that is executed
 * @param variables its coerced variables
 * @param context its context
 * @returns for each argument with a text that is no global id, what was expected, and the place in the document; it quotes nothing of the
 *   client's
 */
export function idWarnings(
  schema: GraphQLSchema,
  { document }: Pick<Plan, 'document'>,
  variables: Record<string, unknown>,
  context: LarderContext,
): GraphQLFormattedError[] {
  const warnings: GraphQLFormattedError[] = [];
  const types = new TypeInfo(schema);
  const visitor = {
    Argument: ({
      value,
      loc,
    }: {
      value: Parameters<typeof valueFromAST>[0];
      loc?: { startToken: Place } | undefined;
    }) => {
      const argument = types.getArgument();
      const expected = argument && expectedId(argument.extensions);
      if (!argument || expected === undefined) return;
      const given = valueFromAST(value, argument.type, variables);
      const wrong = [given].flat().some((id) => typeof id === 'string' && !isExpected(id, expected, context));
      if (!wrong || loc === undefined) return;
      const { line, column } = loc.startToken;
      const message = `${types.getFieldDef()?.name}(${argument.name}:) ${problem(argument, expected)}`;
      warnings.push({ message, locations: [{ line, column }], extensions: { code: 'NOT_A_GLOBAL_ID' } });
    },
  };
  visit(document, visitWithTypeInfo(types, visitor));
  return warnings;
}

/** The place of a token in its document. */
interface Place {
  readonly line: number;
  readonly column: number;
}

function isExpected(id: string, expected: string | null, context: LarderContext): boolean {
  const decoded = decodeGlobalId(id);
  return decoded !== null && (expected === null || decoded.typename === expected) && isIdOf(context, decoded);
}

function problem({ type }: GraphQLArgument, expected: string | null): string {
  const what = `${expected === null ? 'a global id' : `the global id of a ${expected}`}`;
  const came = isListType(getNullableType(type)) ? 'One that came is none' : 'What came is none';
  return `expected ${what}, which the field \`id\` of a node answers. ${came}, and names nothing.`;
}
