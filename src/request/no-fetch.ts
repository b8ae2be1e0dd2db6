/**
 * What a bundle for browsers has in the place of `fallback-fetch.ts` (the `browser` map of package.json): they
 * have a `fetch`. A file, since not every bundler leaves out what is mapped to `false`.
 */
export const fallbackFetch = undefined;
