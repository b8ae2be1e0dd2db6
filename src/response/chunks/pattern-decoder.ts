import type { ResponseEvent } from '../../turn/events.js';
import { type ChunkDecoder, chunkDecoder, type ChunkDecoderOptions } from './chunk-decoder.js';
import { chunkPattern } from './chunk-pattern.js';

/**
 * A decoder that does not parse a chunk which is the last one again but for its text: most chunks of most
 * providers. It emits what {@link chunkDecoder} would have emitted; with `includeChunks` it is that.
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
