/** The built package, or another build of it, where one is compared with another. */
export const { aggregate, streamChatCompletions, textDeltas } = await import(
  process.env.BENCH_LIBRARY ?? new URL('../dist/esm/index.js', import.meta.url).href
);

/** A turn with every default: four retries, an idle timeout of five minutes. */
export const turnOf = (baseUrl) =>
  streamChatCompletions('Why is the sky blue?', { model: 'model', provider: { name: 'bench', baseUrl } });
