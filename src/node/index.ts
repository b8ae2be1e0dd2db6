export type { PullOptions } from '../flow/pull.js';
export { nodeTransport, type NodeTransportOptions } from './node-transport.js';
export { toNodeReadable } from './node-readable-from.js';
