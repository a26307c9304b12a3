import type { ITrace, Trace } from '@apollo/usage-reporting-protobuf';
import type { GraphQLError, GraphQLResolveInfo } from 'graphql';
import type { Clock } from '../../clock.ts';

/** A place in a response, as graphql passes it to resolvers. Siblings have the same `prev` object. */
type Path = GraphQLResolveInfo['path'];

/** The part of an error that the trace shows. */
export type ShownError = Pick<GraphQLError, 'message' | 'path' | 'locations'>;

/** A field, or an entry of a list, in Apollo's terms. */
interface Node extends Trace.INode {
  readonly child: Node[];
}

const NS_PER_MS = 1_000_000;

/** When each field of one request began and ended, in the form of Apollo's `ftv1`. */
export class FieldTrace {
  readonly #startedAt = new Date();
  readonly #clock: Clock;
  readonly #started: number;
  readonly #root: Node = { child: [] };
  readonly #nodes = new Map<Path, Node>();

  /** @param clock the time */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#started = clock.now();
  }

  /**
   * @param info the field that is about to be resolved
   * @returns to be called when it is resolved
   */
  begin({ path, returnType, parentType, fieldName }: GraphQLResolveInfo): () => void {
    const node = this.#nodeAt(path);
    node.type = String(returnType);
    node.parentType = parentType.name;
    if (path.key !== fieldName) node.originalFieldName = fieldName;
    node.startTime = this.#now();
    return () => {
      node.endTime = this.#now();
    };
  }

  /**
   * @param errors the errors as the client sees them
   * @returns the trace in the form of Apollo's message
   */
  finish(errors: readonly ShownError[]): ITrace {
    for (const { message, path, locations } of errors) {
      const node = this.#find(path ?? []) ?? this.#root;
      node.error = [...(node.error ?? []), { message, location: locations === undefined ? [] : [...locations] }];
    }
    const ms = this.#clock.now() - this.#started;
    return {
      startTime: timestamp(this.#startedAt.getTime()),
      endTime: timestamp(this.#startedAt.getTime() + ms),
      durationNs: Math.round(ms * NS_PER_MS),
      root: this.#root,
    };
  }

  #nodeAt(path: Path): Node {
    const known = this.#nodes.get(path);
    if (known !== undefined) return known;
    const parent = path.prev === undefined ? this.#root : this.#nodeAt(path.prev);
    const node: Node = {
      child: [],
      ...(typeof path.key === 'number' ? { index: path.key } : { responseName: path.key }),
    };
    parent.child.push(node);
    this.#nodes.set(path, node);
    return node;
  }

  #find(path: readonly (string | number)[]): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const key of path) node = node?.child.find(({ index, responseName }) => (index ?? responseName) === key);
    return node;
  }

  #now(): number {
    return Math.round((this.#clock.now() - this.#started) * NS_PER_MS);
  }
}

function timestamp(ms: number) {
  return { seconds: Math.floor(ms / 1000), nanos: Math.round((ms % 1000) * NS_PER_MS) };
}
