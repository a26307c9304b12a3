// PostGraphile 5.1 asks for Node 22, and all of it that Node 20 lacks is this one function of ES2024.
if (!('withResolvers' in Promise)) {
  Object.defineProperty(Promise, 'withResolvers', {
    configurable: true,
    writable: true,
    value<T>() {
      let resolve: (value: T) => void = () => {};
      let reject: (reason: unknown) => void = () => {};
      const promise = new Promise<T>((whenResolved, whenRejected) => {
        resolve = whenResolved;
        reject = whenRejected;
      });
      return { promise, resolve, reject };
    },
  });
}
