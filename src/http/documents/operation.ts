import type { FragmentDefinitionNode, OperationDefinitionNode } from 'graphql';

/** An operation with the fragments of its document. */
export interface Operation {
  readonly definition: OperationDefinitionNode;
  readonly fragments: readonly FragmentDefinitionNode[];
}
