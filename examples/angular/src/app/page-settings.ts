import { DOCUMENT, inject } from '@angular/core';

/** A setting that the server wrote into the page: `<meta name="chat-model" content="...">`. */
export function pageSetting(name: string, page: Document = inject(DOCUMENT)): string | undefined {
  return page.querySelector(`meta[name="${name}"]`)?.getAttribute('content') ?? undefined;
}
