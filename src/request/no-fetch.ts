/**
 * Replaces `fallback-fetch.ts` in browser bundles (the `browser` map of package.json), since browsers have `fetch`.
 * It is a file because not every bundler omits modules that are mapped to `false`.
 */
export const fallbackFetch = undefined;
