/**
 * @param options options of the application for a field of Larder's; `false`, `true` and `undefined` for none
 * @returns them, such as scopes, to be spread before Larder's own
 */
export function addedOptions(options: object | boolean | undefined): object {
  return typeof options === 'object' ? options : {};
}
