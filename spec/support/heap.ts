import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects what nothing refers to. */
export const collectGarbage = runInNewContext('gc') as () => void;

/** What a WeakRef names stays as long as the task in which it was made. */
export const task = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Bytes that something still refers to. */
export function heldMemory(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** The same once nothing more can be collected: what is finalized in one round is collected in the next. */
export async function heapUsed(): Promise<number> {
  let held = 0;
  for (let round = 0; round < 4; round += 1) {
    await task();
    held = heldMemory();
  }
  return held;
}
