import type { EventSourceMessage } from 'eventsource-parser';
import { concat, map, NEVER, of, range, take } from 'rxjs';
import type { AnswerReader } from '../../src/response/body-reader.js';
import { endMarkOf, readEvents } from '../../src/response/read-events.js';
import { StreamError } from '../../src/turn/errors.js';
import { received, testScheduler } from '../support/marbles.js';

const message = (data: string): EventSourceMessage => ({ id: undefined, event: undefined, data });
const messages = (...data: readonly string[]) => data.map(message);

/** Each letter is an event, `.` is [DONE], and a space what completes none. */
const letters: AnswerReader<string> = {
  push: (part) =>
    part
      .split('')
      .filter((letter) => letter !== ' ')
      .map((letter) => message(letter === '.' ? '[DONE]' : letter)),
  end: () => [],
};
const parts = { a: 'a', b: 'bc', e: ' ', D: '.', E: 'bc.d' };
const batches = {
  x: messages('a'),
  y: messages('b', 'c'),
  n: [],
  D: [{ data: '[DONE]' }],
  z: [...messages('b', 'c'), { data: '[DONE]' }],
};

describe('endMarkOf', () => {
  it.each([
    ['[DONE]', 0],
    [' [DONE] ', 0],
    ['\n[DONE]\t', 0],
    ['data: [DONE]\n\n', 0],
    ['{"a":1}\n[DONE]', 7],
    ['{"a":1}\r\n\r\n [DONE]\n', 7],
    ['{"a":1}[DONE]', 7],
    ['{"a":1} [DONE]', 7],
    ['{"a":1}\ndata: [DONE]', 7],
    ['data: {"a":1}[DONE]', 13],
    ['data: {"a":1}\ndata: [DONE]', 13],
    ['cut\n[DONE]', 3],
    ['[done]', -1],
    ['[DONE', -1],
    ['[DONE] ?', -1],
    ['[DONE]xyz', -1],
    ['that is [DONE]', -1],
    ['that\nis [DONE]', -1],
    ['{"content":"[DONE]"}', -1],
    ['{"content":"\n[DONE]"} ', -1],
    ['"[DONE]"', -1],
    ['', -1],
  ])('of %j is %d', (data, expected) => {
    expect(endMarkOf(data)).toBe(expected);
  });
});

describe('readEvents', () => {
  it('gives what each part completes, and reads on after [DONE] until the source ends', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-e-b-D--a-|', parts);
      expectObservable(source.pipe(readEvents(() => letters))).toBe('-x---y-(D|)', batches);
      expectSubscriptions(source.subscriptions).toBe('^-----------!');
    });
  });

  it('gives what came before [DONE] in one part, and nothing after it', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-E', parts);
      expectObservable(source.pipe(readEvents(() => letters))).toBe('-x-(z|)', batches);
      expectSubscriptions(source.subscriptions).toBe('^-- 1s !');
    });
  });

  it('finds [DONE] at the end of an event too, whose rest it gives', () => {
    const told: unknown[] = [];
    const glued = { ...message('{}\n[DONE]'), event: 'e' };
    const source = of(0).pipe(
      readEvents(() => ({ push: () => [message('a'), glued, message('b')], end: () => [] }), {
        onEvents: (count) => told.push(count),
      }),
    );
    expect(received(source)).toEqual([[message('a'), { ...message('{}'), event: 'e' }, { data: '[DONE]' }]]);
    expect(told).toEqual([2]);
  });

  it('passes on every part before [DONE] where any byte is a sign of life', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold('-a-e-D-e-|', parts);
      expectObservable(source.pipe(readEvents(() => letters, { pass: 'bytes' }))).toBe('-x-n-(D|)', batches);
    });
  });

  it('completes where the source does, with what its end completes', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const atEnd = readEvents(() => ({ ...letters, end: () => messages('b', 'c') }));
      expectObservable(cold('-a-|', parts).pipe(atEnd)).toBe('-x-(y|)', batches);
      expectObservable(cold('-a-|', parts).pipe(readEvents(() => letters))).toBe('-x-|', batches);
    });
  });

  it('ends the source at once where the subscriber leaves before [DONE]', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-D', parts);
      expectObservable(source.pipe(readEvents(() => letters)), '^--!').toBe('-x-', batches);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('gives a source its grace where the subscriber leaves because of the end', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-D', parts);
      const longer = concat(source.pipe(readEvents(() => letters)), NEVER);
      expectObservable(longer, '^---!').toBe('-x-D', batches);
      expectSubscriptions(source.subscriptions).toBe('^-- 1s !');
    });
  });

  it('errors with the error that stands for the source’s, and with what its reader throws as it is', () => {
    const given = new StreamError();
    const options = { errorOf: () => given };
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      expectObservable(cold('-a-#', parts).pipe(readEvents(() => letters, options))).toBe(
        '-x-#',
        batches,
        given,
      );
      expectObservable(cold('-a-#', parts).pipe(readEvents(() => letters))).toBe('-x-#', batches);
      const source = cold('-a-b', parts);
      const thrown = new RangeError('of the reader');
      const reader = {
        ...letters,
        push: () =>
          ((): never => {
            throw thrown;
          })(),
      };
      expectObservable(source.pipe(readEvents(() => reader))).toBe('-#', batches, thrown);
      expectSubscriptions(source.subscriptions).toBe('^!');
    });
  });

  it('gives arrays that are the subscriber’s own', () => {
    const seen: EventSourceMessage[][] = [];
    of('a', 'b')
      .pipe(readEvents(() => letters))
      .subscribe((events) => seen.push(events.splice(0)));
    expect(seen).toEqual([messages('a'), messages('b')]);
  });

  it('stops an endless synchronous source whose subscriber has left', () => {
    const endless = range(0, Infinity).pipe(map((n) => `${n % 10}`));
    expect(
      received(
        endless.pipe(
          readEvents(() => letters),
          take(2),
        ),
      ),
    ).toEqual([messages('0'), messages('1')]);
  });
});
