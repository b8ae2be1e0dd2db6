import type { FetchLike } from './fetch-transport.js';

/**
 * The `fetch` of a platform that has none. Bundles for browsers have `no-fetch.ts` in the place of this file (the
 * `browser` map of package.json), and so neither a lazy import nor what bundlers add to run one.
 */
export async function fallbackFetch(): Promise<FetchLike> {
  const { fetch } = await import('cross-fetch');
  return fetch;
}
