import { DOCUMENT, inject } from '@angular/core';

/** A setting that the server wrote into the page: `<meta name="chat-model" content="...">`. */
export function pageSetting(name: string): string | undefined {
  const element = inject(DOCUMENT).querySelector(`meta[name="${name}"]`);
  return element?.getAttribute('content') ?? undefined;
}
