/** A setting that the server wrote into the page: `<meta name="chat-model" content="...">`. In browsers alone. */
export function pageSetting(name: string): string | undefined {
  return document.querySelector(`meta[name="${name}"]`)?.getAttribute('content') ?? undefined;
}
