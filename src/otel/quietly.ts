/** Ignores errors of tracers, exporters and listeners, which must not affect the turn. */
export function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
