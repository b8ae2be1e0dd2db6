/** Takes the platform's `fetch` away; the returned function gives it back. */
export function withoutGlobalFetch(): () => void {
  const { fetch } = globalThis;
  Reflect.deleteProperty(globalThis, 'fetch');
  return () => {
    globalThis.fetch = fetch;
  };
}
