export type { TraceOptions } from './inference.js';
export { type Traced, traceTurn } from './trace-turn.js';
export { traced } from './traced.js';
