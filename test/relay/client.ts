import {
  __internal,
  type ConcreteRequest,
  createOperationDescriptor,
  type Direction,
  Environment,
  type GraphQLSingularResponse,
  getPaginationMetadata,
  getPaginationVariables,
  getSingularSelector,
  getValueAtPath,
  type IEnvironment,
  Network,
  type PageInfo,
  type ReaderFragment,
  RecordSource,
  Store,
  type Variables,
} from 'relay-runtime';

/**
 * A Relay environment whose network is HTTP. An answer with errors fails, as it does in an app that does not expect any.
 *
 * @param url the server, such as `http://127.0.0.1:4000`
 * @returns the environment, with an empty store
 */
export function createEnvironment(url: string): Environment {
  const network = Network.create(async ({ name, text }, variables) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ operationName: name, query: text, variables }),
    });
    const answer = (await response.json()) as GraphQLSingularResponse;
    if ('errors' in answer && answer.errors != null) throw new Error(`${name}: ${JSON.stringify(answer.errors)}`);
    return answer;
  });
  return new Environment({ network, store: new Store(new RecordSource()) });
}

/**
 * Runs a query on the network and keeps what it brought in the store, as a mounted component does.
 *
 * @param environment the environment
 * @param query the artifact of the query
 * @param variables its variables
 * @returns the query's data as the store has it now
 */
export async function ask<Data>(environment: IEnvironment, query: ConcreteRequest, variables: Variables) {
  const operation = createOperationDescriptor(query, variables, { force: true });
  environment.retain(operation);
  await __internal.fetchQuery(environment, operation).toPromise();
  return environment.lookup(operation.fragment).data as Data;
}

/**
 * Reads a fragment from the store, as useFragment does.
 *
 * @param environment the environment
 * @param fragment the artifact of the fragment
 * @param reference what a query's data has in the fragment's place
 * @returns the fragment's data
 */
export function readFragment<Data>(environment: IEnvironment, fragment: ReaderFragment, reference: unknown): Data {
  return environment.lookup(getSingularSelector(fragment, reference)).data as Data;
}

/** A connection as it stands in a store. */
export interface ConnectionData<Node> {
  readonly edges: readonly { readonly node: Node; readonly cursor: string }[];
  readonly pageInfo: PageInfo;
}

/** What usePaginationFragment gives a component, without the component. */
export interface Pagination<Node> {
  /** The connection in the store now. */
  connection(): ConnectionData<Node>;
  hasNext(): boolean;
  hasPrevious(): boolean;
  /** Fetches more at the end; the store's connection handler adds it. */
  loadNext(count: number): Promise<void>;
  /** Fetches more at the start. */
  loadPrevious(count: number): Promise<void>;
}

/**
 * Pages through the connection of a fragment the way usePaginationFragment does: react-relay's useLoadMoreFunction and
 * getConnectionState, less React.
 *
 * @param environment the environment that holds the fragment's data
 * @param fragment the artifact of a fragment with `@refetchable` and `@connection`
 * @param reference what a query's data has in the fragment's place
 * @returns the functions
 */
export function paginate<Node>(
  environment: IEnvironment,
  fragment: ReaderFragment,
  reference: unknown,
): Pagination<Node> {
  const { paginationRequest, paginationMetadata, identifierField, connectionPathInFragmentData } =
    getPaginationMetadata(fragment, 'test');
  const { owner, variables } = getSingularSelector(fragment, reference);
  const data = () => readFragment<Record<string, unknown>>(environment, fragment, reference);
  const connection = (): ConnectionData<Node> => getValueAtPath(data(), connectionPathInFragmentData);

  const loadMore = async (direction: Direction, count: number) => {
    const { startCursor, endCursor } = connection().pageInfo;
    const cursor = direction === 'forward' ? endCursor : startCursor;
    const base = { ...owner.variables, ...variables };
    const more = getPaginationVariables(direction, count, cursor, base, {}, paginationMetadata);
    if (identifierField != null) more.id = data()[identifierField];
    await ask(environment, paginationRequest, more);
  };

  return {
    connection,
    hasNext: () => connection().pageInfo.hasNextPage,
    hasPrevious: () => connection().pageInfo.hasPreviousPage,
    loadNext: (count) => loadMore('forward', count),
    loadPrevious: (count) => loadMore('backward', count),
  };
}
