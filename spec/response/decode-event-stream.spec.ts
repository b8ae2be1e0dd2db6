import type { EventSourceMessage } from 'eventsource-parser';
import { range, map, take, from } from 'rxjs';
import { StreamError } from '../../src/turn/errors.js';
import { decodeEventStream } from '../../src/response/decode-event-stream.js';
import { toBytes } from '../../src/testing/answer.js';
import { received, testScheduler } from '../support/marbles.js';

const message = (data: string, event?: string, id?: string): EventSourceMessage => ({ data, event, id });
const events = { A: message('a'), B: message('b'), C: message('c') };

describe('decodeEventStream', () => {
  it('gives each event when its blank line comes, all of one read at once', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-x-y--z---|', {
        x: toBytes('data: a\n\nda'),
        y: toBytes('ta: b\n'),
        z: toBytes('\ndata: c\n\n'),
      });
      expectObservable(source.pipe(decodeEventStream())).toBe('-A----(BC)|', events);
      expectSubscriptions(source.subscriptions).toBe('         ^---------!');
    });
  });

  it('drops an event whose blank line never came, at an end as at an error', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const x = toBytes('data: a\n\ndata: b\n');
      expectObservable(cold('-x-|', { x }).pipe(decodeEventStream())).toBe('-A-|', events);
      expectObservable(cold('-x-#', { x }).pipe(decodeEventStream())).toBe('-A-#', events);
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-x--', { x: toBytes('data: a\n\n') });
      expectObservable(source.pipe(decodeEventStream()), '^-!').toBe('-A-', events);
      expectSubscriptions(source.subscriptions).toBe('               ^-!');
    });
  });

  it('errors where one event is larger than maxEventSize, and ends the source', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-x-y-', { x: toBytes('data: a\n\n'), y: toBytes(`data: ${'b'.repeat(50)}`) });
      const error = new StreamError({
        message: 'An event of the stream is larger than 32 bytes (maxEventSize).',
        retryable: false,
      });
      expectObservable(source.pipe(decodeEventStream({ maxEventSize: 32 }))).toBe('-A-#', events, error);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it.each(['[1,2,3,4]', ' {"a":1,"b":2}', '[[[['])(
    'errors where the data of an event, as JSON, holds more than maxEventValues: %s',
    (data) => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('-x-y-', { x: toBytes('data: a\n\n'), y: toBytes(`data: ${data}\n\n`) });
        const error = new StreamError({
          message: 'An event or a JSON response contains more than 3 values (maxEventValues).',
          retryable: false,
        });
        expectObservable(source.pipe(decodeEventStream({ maxEventValues: 3 }))).toBe('-A-#', events, error);
        expectSubscriptions(source.subscriptions).toBe('^--!');
      });
    },
  );

  it.each(['a,b,c,d,e', 'a: [1,2,3,4]', 'a[1,2,3,4]', '[1,2,3]'])(
    'counts no commas of a text: %s',
    (data) => {
      const source = from([toBytes(`data: ${data}\n\n`)]);
      expect(received(source.pipe(decodeEventStream({ maxEventValues: 3 })))).toEqual([message(data)]);
    },
  );

  it('decodes each subscription by itself', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const result = cold('x-y|', { x: toBytes('data: '), y: toBytes('a\n\n') }).pipe(decodeEventStream());
      expectObservable(result).toBe('   --A|', events);
      expectObservable(result, '-^').toBe('---A|', events);
    });
  });

  it('reads names, ids and characters that two reads cut apart', () => {
    const bytes = toBytes('event: delta\nid: 7\ndata: é\n\n');
    const reads = from([...bytes].map((byte) => Uint8Array.of(byte)));
    expect(received(reads.pipe(decodeEventStream()))).toEqual([message('é', 'delta', '7')]);
  });

  it('stops inside a read where the subscriber leaves', () => {
    const endless = range(0, Infinity).pipe(map((n) => toBytes(`data: ${n}\n\ndata: never\n\n`)));
    expect(received(endless.pipe(decodeEventStream(), take(1)))).toEqual([message('0')]);
  });
});
