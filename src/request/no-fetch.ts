/**
 * What a bundle for browsers has in the place of `cross-fetch` (the `browser` map of package.json): they
 * have a `fetch`. A file, since not every bundler leaves out what is mapped to `false`.
 */
export const fetch = undefined;
