import type { EventSourceMessage } from 'eventsource-parser';
import { from, toArray } from 'rxjs';
import { decodeEventStream } from '../../src/response/decode-event-stream.js';
import { describeCorpus } from '../support/corpus.js';
import { pieces } from './cuts.js';

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));

/** As a browser's EventSource would dispatch it: with its type, and with the last event id so far. */
function dispatched(events: readonly EventSourceMessage[]) {
  let lastEventId = '';
  return events.map(({ event = 'message', data, id }) => {
    lastEventId = id ?? lastEventId;
    return { event, data, id: lastEventId };
  });
}

function decode(chunks: readonly Uint8Array[]): readonly EventSourceMessage[] {
  const arrived: EventSourceMessage[][] = [];
  from(chunks)
    .pipe(decodeEventStream(), toArray())
    .subscribe((events) => arrived.push(events));
  expect(arrived).toHaveLength(1);
  return arrived.flat();
}

describeCorpus('decodeEventStream() over the WHATWG cases', (corpus) => {
  const cases = corpus.eventStreamCases();

  it('has cases to go through', () => {
    expect(cases.length).toBeGreaterThanOrEqual(116);
    expect(cases.filter(({ chunks_b64 }) => chunks_b64 !== undefined).length).toBeGreaterThanOrEqual(54);
  });

  it.each(cases)('$name: the same events whole, byte by byte and as chunks', (sse) => {
    const bytes = bytesOf(sse.bytes_b64);
    expect(dispatched(decode([bytes]))).toEqual(sse.expected);
    expect(dispatched(decode(pieces(bytes, 1)))).toEqual(sse.expected);
    if (sse.chunks_b64 !== undefined)
      expect(dispatched(decode(sse.chunks_b64.map(bytesOf)))).toEqual(sse.expected);
  });
});
