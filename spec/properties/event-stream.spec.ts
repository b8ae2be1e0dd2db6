import type { EventSourceMessage } from 'eventsource-parser';
import fc from 'fast-check';
import { from } from 'rxjs';
import { StreamError } from '../../src/turn/errors.js';
import { decodeEventStream } from '../../src/response/decode-event-stream.js';
import { cutAt, pieces } from '../conformance/cuts.js';
import { record } from '../conformance/record-events.js';
import { bodyEvents } from '../support/body-events.js';
import { anyText, block, chunkOf, cutOffsets, joinLines, lineEnd, linesOf, noiseLine } from './streams.js';

const utf8 = (text: string) => new TextEncoder().encode(text);

const decode = (reads: readonly Uint8Array[], maxEventSize?: number) =>
  record<EventSourceMessage>(from(reads).pipe(decodeEventStream({ maxEventSize })));

const dataOf = (events: readonly EventSourceMessage[]) => events.map(({ data }): unknown => JSON.parse(data));

describe('decodeEventStream()', () => {
  it('gives the same events however the bytes are cut and whatever ends the lines', () => {
    fc.assert(
      fc.property(
        fc.array(block, { maxLength: 8 }),
        lineEnd,
        fc.boolean(),
        cutOffsets,
        (blocks, end, hasMark, offsets) => {
          const bytes = utf8((hasMark ? '\ufeff' : '') + joinLines(linesOf(blocks), [end]));
          const whole = decode([bytes]);
          expect(dataOf(whole.events)).toEqual(blocks.map(({ text }) => chunkOf(text)));
          expect(whole.events.map(({ event }) => event)).toEqual(
            blocks.map(({ type }) => (type === '' ? undefined : type)),
          );
          expect(whole).toMatchObject({ error: undefined, ended: 1 });
          expect(decode(cutAt(bytes, offsets))).toEqual(whole);
          expect(decode(pieces(bytes, 1))).toEqual(whole);
        },
      ),
    );
  });

  it('gives the same events where the ends of the lines are mixed', () => {
    fc.assert(
      fc.property(
        fc.array(block, { maxLength: 8 }),
        fc.array(lineEnd, { minLength: 1, maxLength: 7 }),
        cutOffsets,
        (blocks, ends, offsets) => {
          const bytes = utf8(joinLines(linesOf(blocks), ends));
          const plain = blocks.map((each) => ({ ...each, before: [], after: [], alone: [] }));
          const expected = decode([utf8(joinLines(linesOf(plain), ['\n']))]);
          expect(expected.events).toHaveLength(blocks.length);
          expect(decode([bytes])).toEqual(expected);
          expect(decode(cutAt(bytes, offsets))).toEqual(expected);
        },
      ),
    );
  });

  it('gives an event as soon as the last byte of its blank line is there, whatever ends the lines', () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 4 }), lineEnd, (blocks, end) => {
        const reads = blocks.map((each) => utf8(joinLines(linesOf([each]), [end])));
        const batches = record(
          from(reads).pipe(bodyEvents({ status: 200, contentType: 'text/event-stream' })),
        );
        expect(batches.events.slice(0, -1).map(dataOf)).toEqual(blocks.map(({ text }) => [chunkOf(text)]));
      }),
    );
  });

  it('gives the same events, and the same end, however arbitrary bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array({ maxLength: 8 }),
            anyText.map(utf8),
            noiseLine.map(utf8),
            fc
              .constantFrom('data', 'data:', 'data: x', ':', '\r', '\n', '\r\n', '\n\n', '\r\r', 'id: 1')
              .map(utf8),
          ),
          { maxLength: 24 },
        ),
        cutOffsets,
        (parts, offsets) => {
          const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
          const whole = decode([bytes]);
          expect(whole).toMatchObject({ error: undefined, ended: 1 });
          expect(decode(cutAt(bytes, offsets))).toEqual(whole);
          expect(decode(parts)).toEqual(whole);
          expect(decode(pieces(bytes, 1))).toEqual(whole);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('bounds an event the same however the bytes are cut, after the same events', () => {
    const sized = fc.tuple(fc.nat({ max: 24 }), fc.nat({ max: 3 }), fc.nat({ max: 24 }));
    fc.assert(
      fc.property(fc.array(sized, { maxLength: 5 }), cutOffsets, (events, offsets) => {
        const lines = events.flatMap(([size, more, comment]) => [
          `:${'c'.repeat(comment)}`,
          `data: ${'x'.repeat(size)}`,
          ...Array.from({ length: more }, () => 'data: yyyy'),
          '',
        ]);
        const bytes = utf8(joinLines(lines, ['\n']));
        const whole = decode([bytes], 16);
        expect(whole.error === undefined || whole.error instanceof StreamError).toBe(true);
        expect(decode(cutAt(bytes, offsets), 16)).toEqual(whole);
        expect(decode(pieces(bytes, 1), 16)).toEqual(whole);
      }),
    );
  });
});

describe('bodyReader()', () => {
  it('gives the same events whatever the type of the answer says', () => {
    fc.assert(
      fc.property(
        fc.array(block, { minLength: 1, maxLength: 4 }),
        lineEnd,
        fc.constantFrom('application/json', 'text/plain', 'text/html', 'bogus', null),
        cutOffsets,
        (blocks, end, contentType, offsets) => {
          const bytes = utf8(joinLines([': begin', ...linesOf(blocks)], [end]));
          const read = (type: string | null, reads: readonly Uint8Array[]) => {
            const { events, ...rest } = record(
              from(reads).pipe(bodyEvents({ status: 200, contentType: type })),
            );
            return { events: events.flat(), ...rest };
          };
          const expected = read('text/event-stream', [bytes]);
          expect(expected.events).toHaveLength(blocks.length);
          expect(read(contentType, [bytes])).toEqual(expected);
          expect(read(contentType, cutAt(bytes, offsets))).toEqual(expected);
        },
      ),
    );
  });
});
