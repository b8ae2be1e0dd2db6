import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { concatMap, from, map, Observable, of, take, VirtualTimeScheduler } from 'rxjs';
import {
  IdleTimeoutError,
  iterateChatCompletions,
  type IterateOptions,
  type ResponseEvent,
  streamChatCompletions,
  type Transport,
} from '../src/index.js';
import { connectionOf } from '../src/testing/answer.js';
import { handOver } from '../src/request/transport.js';
import { scriptedTransport, type ScriptedTransport } from '../src/testing/index.js';
import { completed, provider, text } from './support/events.js';
import { done, textChunk } from './support/wire.js';

const iterate = (
  transport: Transport,
  options: Partial<IterateOptions> = {},
): AsyncIterator<ResponseEvent, undefined> =>
  iterateChatCompletions('Hi', { model: 'm', provider, transport, ...options })[
    Symbol.asyncIterator
  ]() as AsyncIterator<ResponseEvent, undefined>;

async function collect(events: AsyncIterable<ResponseEvent>): Promise<ResponseEvent[]> {
  const collected: ResponseEvent[] = [];
  for await (const event of events) collected.push(event);
  return collected;
}

/** A transport that makes one read after the other, asking `demand` in between, and counts them. */
function reading(reads: readonly string[]): {
  readonly transport: Transport;
  readonly made: () => number;
  readonly aborted: () => number;
} {
  let made = 0;
  let aborted = 0;
  const transport: Transport = ({ demand = () => of(true) }) =>
    new Observable((subscriber) =>
      handOver(subscriber, {
        status: 200,
        headers: { get: () => 'text/event-stream' },
        ...connectionOf(
          from(reads).pipe(
            concatMap((read, index) =>
              (index === 0 ? of(true) : demand()).pipe(
                take(1),
                map(() => {
                  made += 1;
                  return new TextEncoder().encode(read);
                }),
              ),
            ),
          ),
          () => (aborted += 1),
        ),
      }),
    );
  return { transport, made: () => made, aborted: () => aborted };
}

describe('iterateChatCompletions', () => {
  it('goes on where a read is made inside the answer to the demand, as Node’s are', async () => {
    const reads = [
      ['a', 'b'],
      ['c', 'd'],
      ['e', 'f'],
    ].map((read) => read.map((letter) => textChunk(letter)).join(''));
    const transport: Transport = ({ demand = () => of(true) }) =>
      new Observable((subscriber) =>
        handOver(subscriber, {
          status: 200,
          headers: { get: () => 'text/event-stream' },
          bytes: new Observable<Uint8Array>((reader) => {
            const read = () => {
              const next = reads.shift();
              if (next === undefined) {
                reader.complete();
                return;
              }
              reader.next(new TextEncoder().encode(next));
              reader.add(demand().pipe(take(1)).subscribe(read));
            };
            read();
          }),
          abort: () => undefined,
        }),
      );
    const events = iterate(transport, { highWaterMark: 1 });
    const pulled: unknown[] = [];
    for (let count = 0; count < 8; count += 1) {
      void events.next().then(
        ({ value }) => pulled.push(value),
        () => pulled.push('failed'),
      );
      await turnOfTheLoop();
    }
    expect(pulled).toEqual([
      ...['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => text(letter)),
      completed({ endedBy: 'eof' }),
      undefined,
    ]);
  });

  it('gives the events of the turn in order, and ends', async () => {
    const transport = scriptedTransport({ body: [textChunk('Hel') + textChunk('lo'), done] });
    const events = iterateChatCompletions('Hi', { model: 'm', provider, transport });
    expect(await collect(events)).toEqual([text('Hel'), text('lo'), completed()]);
  });

  it('sends the request at the first next(), and one for each iterator', async () => {
    const transport = scriptedTransport({ body: done }, { body: done });
    const events = iterateChatCompletions('Hi', { model: 'm', provider, transport });
    const iterator = events[Symbol.asyncIterator]();
    expect(transport.requests).toHaveLength(0);
    await iterator.next();
    expect(transport.requests).toHaveLength(1);
    await collect(events);
    expect(transport.requests).toHaveLength(2);
  });

  it('answers several requests at once in their order', async () => {
    const iterator = iterate(scriptedTransport({ body: [textChunk('a'), textChunk('b'), done] }));
    const results = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()]);
    expect(results).toEqual([
      { done: false, value: text('a') },
      { done: false, value: text('b') },
      { done: false, value: completed() },
      { done: true, value: undefined },
    ]);
  });

  it('delivers what came before an error, rejects once, and is over', async () => {
    const body = new Observable<string>((subscriber) => {
      subscriber.next(textChunk('a'));
      subscriber.error(new Error('reset'));
    });
    const iterator = iterate(scriptedTransport({ body }));
    expect(await iterator.next()).toEqual({ done: false, value: text('a') });
    await expect(iterator.next()).rejects.toMatchObject({ name: 'StreamError' });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  describe('leaving', () => {
    const open = (): ScriptedTransport =>
      scriptedTransport({
        body: new Observable((subscriber) => subscriber.next(textChunk('a') + textChunk('b'))),
      });

    it('by break aborts the request', async () => {
      const transport = open();
      for await (const event of iterateChatCompletions('Hi', { model: 'm', provider, transport })) {
        expect(event).toEqual(text('a'));
        break;
      }
      expect(transport.aborted).toBe(1);
    });

    it('by return() aborts it, ends what was asked for, and drops what waits', async () => {
      const transport = open();
      const iterator = iterate(transport);
      await iterator.next();
      await iterator.next();
      const pending = iterator.next();
      expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
      expect(await pending).toEqual({ done: true, value: undefined });
      expect(await iterator.next()).toEqual({ done: true, value: undefined });
      expect(transport.aborted).toBe(1);
    });

    it('by throw() aborts it and rejects with what was thrown', async () => {
      const transport = open();
      const iterator = iterate(transport);
      await iterator.next();
      await expect(iterator.throw?.(new Error('enough'))).rejects.toThrow('enough');
      expect(await iterator.next()).toEqual({ done: true, value: undefined });
      expect(transport.aborted).toBe(1);
    });

    it('before the first next() sends nothing', async () => {
      const transport = open();
      const iterator = iterate(transport);
      await iterator.return?.();
      expect(await iterator.next()).toEqual({ done: true, value: undefined });
      expect(transport.requests).toHaveLength(0);
    });
  });

  describe('backpressure', () => {
    const reads = [
      ...Array.from({ length: 9 }, (_read, index) => textChunk(`${index}a`) + textChunk(`${index}b`)),
      done,
    ];

    it('makes no read while highWaterMark events wait', async () => {
      const { transport, made } = reading(reads);
      const iterator = iterate(transport, { highWaterMark: 4 });
      await iterator.next();
      // One event of two was taken from the first read; 1 + 2 + 2 wait.
      expect(made()).toBe(3);
      await turnOfTheLoop();
      expect(made()).toBe(3);
      await iterator.next();
      expect(made()).toBe(3);
      await iterator.next();
      expect(made()).toBe(4);
      await iterator.return?.();
    });

    it('loses nothing and keeps the order whatever the pace', async () => {
      const { transport, aborted } = reading(reads);
      const events: ResponseEvent[] = [];
      for await (const event of iterateChatCompletions('Hi', {
        model: 'm',
        provider,
        transport,
        highWaterMark: 1,
      })) {
        events.push(event);
        if (events.length % 3 === 0) await turnOfTheLoop();
      }
      const expected = Array.from({ length: 9 }, (_read, index) => [
        text(`${index}a`),
        text(`${index}b`),
      ]).flat();
      expect(events).toEqual([...expected, completed()]);
      expect(aborted()).toBe(0);
    });

    it('reads on after the end, so that the connection can be used again whatever still waits', async () => {
      const { transport, made, aborted } = reading([textChunk('a') + textChunk('b') + done, ': the end\n\n']);
      const iterator = iterate(transport, { highWaterMark: 1 });
      expect(await iterator.next()).toEqual({ done: false, value: text('a') });
      expect(made()).toBe(2);
      expect(aborted()).toBe(0);
      expect(await iterator.next()).toEqual({ done: false, value: text('b') });
      expect(await iterator.next()).toEqual({ done: false, value: completed() });
    });

    it('stops the idle clock while the consumer is waited for, and only then', async () => {
      const scheduler = new VirtualTimeScheduler();
      const pass = (milliseconds: number) => {
        scheduler.schedule(() => undefined, milliseconds);
        scheduler.maxFrames = scheduler.frame + milliseconds;
        scheduler.flush();
        scheduler.frame = scheduler.maxFrames;
      };
      const silentAfter: readonly string[] = [textChunk('a') + textChunk('b'), ': nothing\n\n'];
      const { transport } = reading(silentAfter);
      const quiet: Transport = (request) =>
        new Observable((subscriber) =>
          transport(request).subscribe({
            next: (response) =>
              subscriber.next({
                ...response,
                body: new Observable((body) =>
                  response.body.subscribe({ next: (bytes) => body.next(bytes) }),
                ),
              }),
            complete: () => subscriber.complete(),
          }),
        );
      const iterator = iterate(quiet, { highWaterMark: 1, idleTimeout: 100, scheduler });
      expect(await iterator.next()).toEqual({ done: false, value: text('a') });
      pass(10_000);
      expect(await iterator.next()).toEqual({ done: false, value: text('b') });
      const pending = iterator.next();
      pass(99);
      let settled = false;
      pending.then(
        () => (settled = true),
        () => (settled = true),
      );
      await turnOfTheLoop();
      expect(settled).toBe(false);
      pass(1);
      await expect(pending).rejects.toEqual(new IdleTimeoutError(100));
    });
  });

  it('has a highWaterMark among its options, as no other function has', () => {
    const misspelt = { model: 'm', provider, highWatermark: 1 };
    expect(() => iterateChatCompletions('Hi', misspelt)).toThrow(
      new TypeError('Unknown option "highWatermark": did you mean options.highWaterMark?'),
    );
    const options = { model: 'm', provider, highWaterMark: 1 };
    expect(() => streamChatCompletions('Hi', options)).toThrow(
      new TypeError('Unknown option "highWaterMark": request parameters go in options.params.'),
    );
  });

  it.each([0, -1, Number.NaN])('refuses a highWaterMark of %d', (highWaterMark) => {
    expect(() => iterateChatCompletions('Hi', { model: 'm', provider, highWaterMark })).toThrow(TypeError);
  });
});
