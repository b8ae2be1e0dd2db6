export type { PullOptions } from '../flow/pull.js';
export { nodeReadableFrom } from './node-readable-from.js';
export { nodeTransport, type NodeTransportOptions } from './node-transport.js';
