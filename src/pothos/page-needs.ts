import {
  type FieldNode,
  type GraphQLField,
  type GraphQLResolveInfo,
  getNamedType,
  isAbstractType,
  isObjectType,
} from 'graphql';
import type { PageNeeds } from '../lists/page-request.ts';
import type { LarderContext } from '../repository/context.ts';
import { isAlwaysRead, lookOnce, needsBody, needsWhole, type Selection, selectionOf } from './selection.ts';

/** The fields of a page, of its edges and of its `pageInfo` that tell what they look at. Any other is the application's own. */
const OF_PAGE: ReadonlySet<string> = new Set(['nodes', 'edges', 'pageInfo', 'totalCount']);
const OF_EDGE: ReadonlySet<string> = new Set(['node', 'cursor']);
const OF_INFO: ReadonlySet<string> = new Set(['hasNextPage', 'hasPreviousPage', 'startCursor', 'endCursor']);

/** What a page needs of which nobody knows what is looked at. */
const ALL: PageNeeds = { rows: true, entities: true, positions: true, total: true, flags: true };

/**
 * Finds what the query selects of a page. Bodies are read only for fields that need more than an id. A field of the application's own may
 * look at anything but the count, which may cost more than all the rest.
 *
 * @param info the info of the connection's resolver
 * @param typename the listed entities' type
 * @param context the request's context
 * @returns what to read
 */
export function needsOf(info: GraphQLResolveInfo, typename: string, context: LarderContext): PageNeeds {
  return lookOnce(info, context, () => {
    const page = selectedOfPage(info, `${typename}Connection`);
    return page === null ? ALL : selectedNeeds(info, typename, page);
  });
}

function selectedNeeds(info: GraphQLResolveInfo, typename: string, page: Selection): PageNeeds {
  const under = (field: string, selection = page) => selectionOf(info, selection.get(field) ?? []);
  const type = info.schema.getType(`${typename}Connection`);
  const fields = isObjectType(type) ? type.getFields() : {};
  const edges = under('edges');
  const pageInfo = under('pageInfo');
  const isWhole = needsWhole(type, page, (name) => OF_PAGE.has(name));
  const areEdgesWhole = isWhole || needsWhole(getNamedType(fields.edges?.type), edges, (name) => OF_EDGE.has(name));
  const isInfoWhole = isWhole || needsWhole(getNamedType(fields.pageInfo?.type), pageInfo, (name) => OF_INFO.has(name));
  const positions =
    areEdgesWhole || isInfoWhole || edges.has('cursor') || pageInfo.has('startCursor') || pageInfo.has('endCursor');
  const flags = isInfoWhole || pageInfo.has('hasNextPage') || pageInfo.has('hasPreviousPage');
  return {
    rows: positions || flags || page.has('edges') || page.has('nodes'),
    entities:
      areEdgesWhole || needsBody(info, typename, under('nodes')) || needsBody(info, typename, under('node', edges)),
    positions,
    total: page.has('totalCount'),
    flags,
  };
}

/**
 * Finds what is selected of a page. Another plugin may show it in a type of its own: Pothos' errors plugin answers a union, of which one
 * member is the page, or has it in a field. Other fields of that member are given the page, too.
 *
 * @param info the info of the connection's resolver
 * @param name the name of the page's type
 * @returns the fields of the page, and those of what has it that may look at all of it; `null` when the page is in none of the types that the field may have
 */
function selectedOfPage(info: GraphQLResolveInfo, name: string): Selection | null {
  const type = getNamedType(info.returnType);
  if (type.name === name) return selectionOf(info);
  const members = isAbstractType(type) ? info.schema.getPossibleTypes(type) : isObjectType(type) ? [type] : [];
  const isPage = (field: GraphQLField<unknown, unknown> | undefined) =>
    field !== undefined && getNamedType(field.type).name === name;
  const found = new Map<string, readonly FieldNode[]>();
  const add = (field: string, nodes: readonly FieldNode[]) => found.set(field, [...(found.get(field) ?? []), ...nodes]);
  let isFound = false;
  for (const member of members) {
    const fields = member.getFields();
    if (member.name !== name && !Object.values(fields).some(isPage)) continue;
    isFound = true;
    const isRead = member.name !== name && isAlwaysRead(member);
    for (const [field, nodes] of selectionOf(info, info.fieldNodes, member)) {
      if (!isPage(fields[field]) || isRead || fields[field]?.extensions.isRead === true) add(field, nodes);
      if (isPage(fields[field])) for (const [inner, innerNodes] of selectionOf(info, nodes)) add(inner, innerNodes);
    }
  }
  return isFound ? found : null;
}
