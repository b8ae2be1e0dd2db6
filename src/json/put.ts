/** Sets an entry of a JSON value that is being built. */
export function put(
  container: unknown[] | Record<string, unknown>,
  at: string | number,
  value: unknown,
): void {
  // Assigned, this one key would be the object's prototype.
  if (at === '__proto__')
    Object.defineProperty(container, at, { value, enumerable: true, configurable: true, writable: true });
  else (container as Record<string | number, unknown>)[at] = value;
}
