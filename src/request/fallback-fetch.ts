import type { FetchLike } from './fetch-transport.js';

/**
 * `fetch` for a platform without one. Browser bundles use `no-fetch.ts` instead of this file (the `browser` map of
 * package.json), and so contain neither a lazy import nor the bundler's runtime for one.
 */
export async function fallbackFetch(): Promise<FetchLike> {
  const { fetch } = await import('cross-fetch');
  return fetch;
}
