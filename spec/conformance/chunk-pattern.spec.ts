import type { EventSourceMessage } from 'eventsource-parser';
import type { ResponseEvent } from '../../src/turn/events.js';
import { chunkDecoder } from '../../src/response/chunks/chunk-decoder.js';
import { chunkPattern } from '../../src/response/chunks/chunk-pattern.js';
import { eventStreamParser } from '../../src/response/event-stream-parser.js';
import { patternDecoder } from '../../src/response/chunks/pattern-decoder.js';
import { describeCorpus } from '../support/corpus.js';

function decode(decoder: typeof chunkDecoder, messages: readonly EventSourceMessage[]) {
  const events: ResponseEvent[] = [];
  const decoding = decoder((event) => events.push(event));
  try {
    for (const message of messages) decoding.push(message);
    decoding.end();
  } catch (error) {
    return { events, error };
  }
  return { events, error: undefined };
}

/** How many chunks of a stream need no parsing. */
function recognised(messages: readonly EventSourceMessage[]): number {
  const pattern = chunkPattern();
  let count = 0;
  for (const { data } of messages) {
    if (pattern.textOf(data) === undefined) pattern.learn(data);
    else count += 1;
  }
  return count;
}

describeCorpus('Chunks of recorded answers that differ in their text alone', (corpus) => {
  const streams = corpus.recordings('recordings').map(({ name }) => ({
    name,
    messages: eventStreamParser().push(corpus.bytes('recordings', name)),
  }));

  it.each(streams)('$name gives the events that parsing each chunk gives', ({ messages }) => {
    expect(decode(patternDecoder, messages)).toEqual(decode(chunkDecoder, messages));
  });

  it('are most of all chunks, and need no parsing', () => {
    const chunks = streams.reduce((sum, { messages }) => sum + messages.length, 0);
    const known = streams.reduce((sum, { messages }) => sum + recognised(messages), 0);
    console.info(`${known} of ${chunks} chunks were not parsed (${Math.round((100 * known) / chunks)} %).`);
    expect(known / chunks).toBeGreaterThan(0.75);
  });
});
