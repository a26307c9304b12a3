import { brandWithType, type SchemaTypes } from '@pothos/core';
import { resolveNodes, resolveUncachedNodesForType } from '@pothos/plugin-relay';
import { type GraphQLResolveInfo, isObjectType } from 'graphql';
import { afterPromises, Batch } from '../batch.ts';
import { errorOf } from '../reason-of.ts';
import type { LarderContext } from '../repository/context.ts';
import { decodeGlobalId } from './global-id.ts';

type Builder = PothosSchemaTypes.SchemaBuilder<SchemaTypes>;

/** The id of a node that is no entity, in the form that its type parses. */
interface OtherId {
  readonly typename: string;
  readonly id: unknown;
}

/** What the Relay plugin lets a node's type say of its loading. */
interface LoadOptions {
  readonly loadMany?: unknown;
  readonly loadManyWithoutCache?: unknown;
  readonly brandLoadedObjects?: boolean;
}

/** Loads the nodes that are no entities as the Relay plugin does, for one field of one request. */
export class OtherNodes {
  readonly #builder: Builder;
  readonly #context: LarderContext;
  readonly #info: GraphQLResolveInfo;
  /** For the types that load many nodes at once. A batch is of one type, whose failing loader fails no other. */
  readonly #batches = new Map<string, Batch<OtherId, unknown>>();

  /**
   * @param builder the builder
   * @param context the request's context
   * @param info the field's info
   */
  constructor(builder: Builder, context: LarderContext, info: GraphQLResolveInfo) {
    this.#builder = builder;
    this.#context = context;
    this.#info = info;
  }

  /**
   * @param globalId what the client sent
   * @param isEntity tells of a type whether it shows an entity, which has ids of one form alone
   * @returns the node; `null` for a text that names none
   * @throws what the loader of its type throws
   */
  async load(globalId: string, isEntity: (typename: string) => boolean): Promise<unknown> {
    const id = this.#read(globalId);
    if (id === null || isEntity(id.typename) || !this.#isNode(id.typename)) return null;
    const { loadMany, loadManyWithoutCache } = this.#optionsOf(id.typename);
    if ((loadMany ?? loadManyWithoutCache) === undefined) return (await this.#resolve([id]))[0];
    let batch = this.#batches.get(id.typename);
    if (batch === undefined) {
      batch = new Batch(afterPromises, (ids) => this.#resolveEach(id.typename, ids));
      this.#batches.set(id.typename, batch);
    }
    return batch.load(id);
  }

  /** Loads many nodes of a type at once. When that fails, each is loaded by itself, so that none fails because of another. */
  async #resolveEach(typename: string, ids: readonly OtherId[]): Promise<readonly unknown[]> {
    try {
      return await this.#resolve(ids);
    } catch (error) {
      if (ids.length === 1) throw error;
      // The Relay plugin keeps what has failed. So it must not look at what it keeps.
      const alone = ({ id }: OtherId) =>
        resolveUncachedNodesForType(this.#builder, this.#context, this.#info, [id], typename);
      const settled = await Promise.allSettled(ids.map(alone));
      const { brandLoadedObjects = this.#builder.options.relay?.brandLoadedObjects ?? true } =
        this.#optionsOf(typename);
      return settled.map((one) => {
        if (one.status === 'rejected') return errorOf(one.reason);
        const [node] = one.value;
        if (brandLoadedObjects) brandWithType(node, typename as never);
        return node;
      });
    }
  }

  /** The options of a type that is a node. */
  #optionsOf(typename: string): LoadOptions {
    return this.#builder.configStore.getTypeConfig(typename, 'Object').pothosOptions as LoadOptions;
  }

  #resolve(ids: readonly OtherId[]): Promise<readonly unknown[]> {
    return resolveNodes(this.#builder, this.#context, this.#info, [...ids]);
  }

  /**
   * Reads an id by the developer's `decodeGlobalID` and the `parse` of the node's id, as the Relay plugin does. These may throw for a text
   * that is no id, which names nothing.
   */
  #read(globalId: string): OtherId | null {
    try {
      const decode = this.#builder.options.relay?.decodeGlobalID ?? decodeGlobalId;
      const decoded = decode(globalId, this.#context);
      if (decoded === null) return null;
      const parse = this.#info.schema.getType(decoded.typename)?.extensions.pothosParseGlobalID as
        | ((id: string, context: object) => unknown)
        | undefined;
      return parse === undefined ? decoded : { ...decoded, id: parse(decoded.id, this.#context) };
    } catch {
      return null;
    }
  }

  /** Whether a type of the schema is a node. A client may name any type. */
  #isNode(typename: string): boolean {
    const type = this.#info.schema.getType(typename);
    const node = this.#builder.nodeInterfaceRef().name;
    return isObjectType(type) && type.getInterfaces().some(({ name }) => name === node);
  }
}
