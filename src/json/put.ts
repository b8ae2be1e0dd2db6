/** Sets an entry of a JSON value that is being built. */
export function put(
  container: unknown[] | Record<string, unknown>,
  at: string | number,
  value: unknown,
): void {
  // Assigning to this one key would set the object's prototype.
  if (at === '__proto__')
    Object.defineProperty(container, at, { value, enumerable: true, configurable: true, writable: true });
  else (container as Record<string | number, unknown>)[at] = value;
}
