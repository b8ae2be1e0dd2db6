// This package over Node's own HTTP client, the deltas concatenated by the subscriber.
import { libraryUrl, textOf, turnOf } from '../library.mjs';

const { nodeTransport } = await import(new URL('node/index.js', libraryUrl).href);
const transport = nodeTransport();

export default ({ baseUrl, onDelta }) => textOf(turnOf(baseUrl, { transport }), onDelta);
