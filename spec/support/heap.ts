import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What a WeakRef names stays as long as the task in which it was made. */
const task = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The bytes that are held once nothing more can be collected. */
export async function heapUsed(): Promise<number> {
  for (let round = 0; round < 4; round += 1) {
    await task();
    collectGarbage();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
