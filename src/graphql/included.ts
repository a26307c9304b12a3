import {
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  getDirectiveValues,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import type { Operation } from './cost.ts';

/**
 * Whether an operation has `@skip` or `@include` anywhere: most have not, and need no second look for each request.
 *
 * @param operation the operation
 * @returns true when what is selected depends on values
 */
export function isConditional({ definition, fragments }: Operation): boolean {
  let found = false;
  for (const root of [definition, ...fragments]) {
    visit(root, {
      Directive: ({ name }) => {
        found ||= name.value === GraphQLSkipDirective.name || name.value === GraphQLIncludeDirective.name;
      },
    });
  }
  return found;
}

/**
 * An operation without what `@skip` and `@include` leave out for these variables (GraphQL specification, section 3.13).
 *
 * @param operation the operation, which is valid
 * @param variables the coerced variables
 * @returns the operation as it will be executed; a selection of which nothing is left is empty
 * @throws {GraphQLError} when a condition is null
 */
export function withoutExcluded(operation: Operation, variables: Record<string, unknown>): Operation {
  const isIncluded = (node: SelectionNode) =>
    getDirectiveValues(GraphQLSkipDirective, node, variables)?.if !== true &&
    getDirectiveValues(GraphQLIncludeDirective, node, variables)?.if !== false;
  const prune = (set: SelectionSetNode): SelectionSetNode => ({
    ...set,
    selections: set.selections
      .filter(isIncluded)
      .map((node) =>
        node.kind === Kind.FRAGMENT_SPREAD || node.selectionSet === undefined
          ? node
          : { ...node, selectionSet: prune(node.selectionSet) },
      ),
  });
  return {
    definition: { ...operation.definition, selectionSet: prune(operation.definition.selectionSet) },
    fragments: operation.fragments.map(
      (fragment): FragmentDefinitionNode => ({ ...fragment, selectionSet: prune(fragment.selectionSet) }),
    ),
  };
}
