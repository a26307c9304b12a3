/**
 * Calls back when all that promises settled by now lead to has happened: the moment at which a DataLoader sends its batch
 * unless it is told otherwise.
 *
 * @param callback what to call, in the same turn of the event loop
 */
export function afterPromises(callback: () => void): void {
  void Promise.resolve().then(() => process.nextTick(callback));
}
