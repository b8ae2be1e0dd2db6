import type { ResponseEvent } from '../../turn/events.js';
import { type ChunkDecoder, chunkDecoder, type ChunkDecoderOptions } from './chunk-decoder.js';
import { chunkPattern } from './chunk-pattern.js';

/**
 * A decoder that does not re-parse a chunk that differs from the previous one only in its text, as most chunks of
 * most providers do. It emits the same events as {@link chunkDecoder}; with `includeChunks` it is that decoder.
 */
export function patternDecoder(
  emit: (event: ResponseEvent) => void,
  options: ChunkDecoderOptions = {},
): ChunkDecoder {
  if (options.includeChunks === true) return chunkDecoder(emit, options);
  const pattern = chunkPattern();
  const decoder = chunkDecoder(emit, options);
  return {
    ...decoder,
    push(message) {
      const text = message.event === undefined ? pattern.textOf(message.data) : undefined;
      if (text !== undefined) {
        decoder.pushText(text, pattern.key, pattern.detailsOf(text));
        return;
      }
      decoder.push(message);
      pattern.learn(message.data);
    },
  };
}
