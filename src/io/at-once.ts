/** Does `work` for each of `items`, at most `most` at a time. Fails with the first failure, when what was begun has ended. */
export async function atOnce<T>(most: number, items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const failures: unknown[] = [];
  const workers = Array.from({ length: most }, async () => {
    while (waiting.length > 0 && failures.length === 0) {
      await work(waiting.shift()!).catch((error: unknown) => failures.push(error));
    }
  });
  await Promise.all(workers);
  if (failures.length > 0) throw failures[0];
}
