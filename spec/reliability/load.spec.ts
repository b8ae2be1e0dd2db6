import { fetchTransport, type Transport } from '../../src/index.js';
import { nodeTransport } from '../../src/node/index.js';
import { runLoad, startLoadProvider } from './load.js';

it.each<[string, () => Transport]>([
  ['fetchTransport', () => fetchTransport()],
  ['nodeTransport', () => nodeTransport()],
])('over %s 1,000 turns that are under way at once each get their own text, whole', async (_, transport) => {
  const peer = await startLoadProvider();
  try {
    const { atOnce, right, errors } = await runLoad(1_000, transport(), peer);
    expect({ atOnce, right, errors }).toEqual({ atOnce: 1_000, right: 1_000, errors: [] });
  } finally {
    await peer.close();
  }
});
