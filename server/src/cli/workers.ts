/** Work that is done by several at a time and told in its order. */

/**
 * Does `work` for each item, at most `most` at a time, and hands each result on when all before it have been. Rejects with the
 * first error, in the order of the items; nothing new begins then.
 */
export async function inOrder<T, R>(
  items: readonly T[],
  most: number,
  work: (item: T) => Promise<R>,
  done: (result: R) => void,
): Promise<void> {
  let next = 0;
  let failed = false;
  const promises: Promise<R>[] = [];
  const settle: ((result: Promise<R>) => void)[] = [];
  for (let i = 0; i < items.length; i++) promises.push(new Promise((resolve) => settle.push(resolve)));
  const worker = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const index = next++;
      const result = work(items[index]!);
      settle[index]!(result);
      await result.then(
        () => undefined,
        () => {
          failed = true;
        },
      );
    }
  };
  const workers = Array.from({ length: Math.min(most, items.length) }, worker);
  // A later one may fail first; the loop below tells it in its turn.
  for (const promise of promises) promise.catch(() => undefined);
  for (const promise of promises) done(await promise);
  await Promise.all(workers);
}
