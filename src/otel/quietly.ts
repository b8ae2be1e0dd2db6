/** Does what may fail and is no matter of the turn's: tracers, exporters and listeners are their owner's. */
export function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
