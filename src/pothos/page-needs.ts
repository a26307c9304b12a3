import type { GraphQLResolveInfo } from 'graphql';
import type { PageNeeds } from '../lists/page-request.ts';
import type { LarderContext } from '../repository/context.ts';
import { needsBody, selectionOf } from './selection.ts';

/**
 * What of a page the query selects. Bodies are read only for fields that an id does not answer. A field's nodes are the same
 * list for each of its parents, so that they are looked into once a request.
 *
 * @param info the info of the connection's resolver
 * @param typename the listed entities' type
 * @param context the request's context
 * @returns what to read
 */
export function needsOf(info: GraphQLResolveInfo, typename: string, context: LarderContext): PageNeeds {
  let needs = context.collected.get(info.fieldNodes) as PageNeeds | undefined;
  if (needs === undefined) {
    needs = selectedNeeds(info, typename);
    context.collected.set(info.fieldNodes, needs);
  }
  return needs;
}

function selectedNeeds(info: GraphQLResolveInfo, typename: string): PageNeeds {
  const connection = selectionOf(info);
  const under = (field: string, selection = connection) => selectionOf(info, selection.get(field) ?? []);
  const edges = under('edges');
  const pageInfo = under('pageInfo');
  const positions = edges.has('cursor') || pageInfo.has('startCursor') || pageInfo.has('endCursor');
  const flags = pageInfo.has('hasNextPage') || pageInfo.has('hasPreviousPage');
  return {
    rows: positions || flags || connection.has('edges') || connection.has('nodes'),
    entities: needsBody(info, typename, under('nodes')) || needsBody(info, typename, under('node', edges)),
    positions,
    total: connection.has('totalCount'),
    flags,
  };
}
