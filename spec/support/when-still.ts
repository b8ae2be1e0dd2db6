const turnOfTheLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Both ends in one process: so many turns of the event loop without a step, and there is none to come. */
const turns = 100;

/** Settles when a count stands still, or has reached `most`. It waits for turns of the event loop, not for time. */
export async function whenStill(count: () => number, most: number): Promise<void> {
  for (let still = 0, before = -1; still < turns && count() < most; still += 1) {
    if (count() !== before) still = 0;
    before = count();
    await turnOfTheLoop();
  }
}
