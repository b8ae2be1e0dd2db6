import { defaultMaxEventValues } from '../turn/json-values.js';

/** Deep enough for any schema, and shallow enough for recursive functions. */
export const maxDepth = 1_000;

/** Keys count too, as in `maxEventValues`. */
export const maxValues = defaultMaxEventValues;
