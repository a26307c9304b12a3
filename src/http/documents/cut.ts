import {
  type ConstDirectiveNode,
  type DirectiveNode,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  getDirectiveValues,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import type { Operation } from './operation.ts';

/**
 * Finds the variables that the `@skip` and `@include` of an operation depend on.
 *
 * @param operation the operation
 * @returns the variables' names, each once; `null` when there is no condition, and nothing to cut
 */
export function conditionsOf({ definition, fragments }: Operation): readonly string[] | null {
  let conditional = false;
  const names = new Set<string>();
  for (const root of [definition, ...fragments]) {
    visit(root, {
      Directive: (directive) => {
        if (!isCondition(directive)) return false;
        conditional = true;
        for (const { value } of directive.arguments ?? []) {
          if (value.kind === Kind.VARIABLE) names.add(value.name.value);
        }
        return false;
      },
    });
  }
  return conditional ? [...names] : null;
}

/**
 * Cuts an operation to what `@skip` and `@include` leave of it (GraphQL specification, section 3.13). The result has no condition.
 *
 * @param operation a valid operation
 * @param variables the coerced variables; only those that `conditionsOf` names count
 * @returns the operation as it will be executed; a selection may be empty
 * @throws {GraphQLError} when a condition is null
 */
export function cut({ definition, fragments }: Operation, variables: Record<string, unknown>): Operation {
  const isIncluded = (node: SelectionNode) =>
    getDirectiveValues(GraphQLSkipDirective, node, variables)?.if !== true &&
    getDirectiveValues(GraphQLIncludeDirective, node, variables)?.if !== false;
  const cutNode = <Node extends SelectionNode>(node: Node): Node => ({
    ...node,
    directives: node.directives?.filter((directive) => !isCondition(directive)),
    ...('selectionSet' in node && node.selectionSet !== undefined ? { selectionSet: cutSet(node.selectionSet) } : {}),
  });
  const cutSet = (set: SelectionSetNode): SelectionSetNode => ({
    ...set,
    selections: set.selections.filter(isIncluded).map(cutNode),
  });
  return {
    definition: { ...definition, selectionSet: cutSet(definition.selectionSet) },
    fragments: fragments.map((fragment) => ({ ...fragment, selectionSet: cutSet(fragment.selectionSet) })),
  };
}

function isCondition({ name }: DirectiveNode | ConstDirectiveNode): boolean {
  return name.value === GraphQLSkipDirective.name || name.value === GraphQLIncludeDirective.name;
}
