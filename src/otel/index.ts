export type { TraceOptions } from './inference.js';
export { type TracedRun, traceRun, type TraceRunOptions } from './trace-run.js';
export { type Traced, traceTurn } from './trace-turn.js';
export { traced } from './traced.js';
