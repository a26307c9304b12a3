/** A row of an entity's SELECT by ids: its columns under the entity's field names, as the driver gives them, and its version. */
export type EntityRow = Record<string, unknown> & { id: string; [VERSION]: string };

/** No field of an entity can have this name. */
export const VERSION = '#version';
