/**
 * A Pothos plugin that shows the entities of a Larder as nodes, references and connections. A builder needs the plugins of Relay and of the
 * DataLoader beside it: `plugins: [RelayPlugin, DataloaderPlugin, LarderPlugin]`.
 *
 * @module
 */
import './global-types.ts';
import './field-builder.ts';
import './schema-builder.ts';
import { pluginName } from './plugin.ts';

export type { LarderContext } from '../repository/context.ts';
export { checkSchema } from './check-schema.ts';
export type { ConnectionSource } from './connection.ts';
export { encodeCursor } from './cursor.ts';
export { parseDateTime } from './date-time.ts';
export { encodeGlobalId, globalIdOf } from './global-id.ts';
export { InvalidValue } from './invalid-value.ts';
export { databaseId } from './node.ts';
export type { LarderPlugin } from './plugin.ts';
export { type Connection, type EdgeShape, type EntityNode, nodeOf } from './shapes.ts';
export type { EntityRef } from './types.ts';
export { userInputError } from './user-input-error.ts';

export default pluginName;
