/** The built package, or another build of it, where one is compared with another. */
export const libraryUrl = process.env.BENCH_LIBRARY ?? new URL('../dist/esm/index.js', import.meta.url).href;

export const { accumulate, aggregate, streamChatCompletions, textDeltas } = await import(libraryUrl);

/** A turn with every default: four retries, an idle timeout of five minutes. */
export const turnOf = (baseUrl, options) =>
  streamChatCompletions('Why is the sky blue?', {
    model: 'model',
    provider: { name: 'bench', baseUrl },
    ...options,
  });

/** A turn's text, its deltas concatenated by the subscriber. */
export const textOf = (turn, onDelta) =>
  new Promise((resolve, reject) => {
    let text = '';
    turn.pipe(textDeltas()).subscribe({
      next: (delta) => {
        text += delta;
        onDelta?.(delta);
      },
      error: reject,
      complete: () => resolve(text),
    });
  });
