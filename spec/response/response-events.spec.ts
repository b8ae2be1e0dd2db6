import type { EventSourceMessage } from 'eventsource-parser';
import { map, of, range, take } from 'rxjs';
import { ProviderStreamError } from '../../src/errors.js';
import { responseEvents } from '../../src/response/response-events.js';
import { completed, text } from '../support/events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

type Batch = readonly EventSourceMessage[];

const message = (data: string): EventSourceMessage => ({ id: undefined, event: undefined, data });
const content = (text: string, rest: object = {}) =>
  message(JSON.stringify({ choices: [{ delta: { content: text } }], ...rest }));
const failure = message('{"error":{"message":"the key sk-1 is worn out","code":"overloaded"}}');

const batches: Record<string, Batch> = {
  a: [content('a')],
  b: [content('b'), content('c')],
  e: [],
  F: [content('b'), failure, content('c')],
};
const events = {
  x: text('a'),
  y: text('b'),
  z: text('c'),
  C: completed(),
};

describe('responseEvents', () => {
  it('gives the events of each batch at once, and completed where the batches end', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-e-b---|', batches);
      expectObservable(source.pipe(responseEvents())).toBe('-x---(yz)(C|)', events);
      expectSubscriptions(source.subscriptions).toBe('      ^--------!');
    });
  });

  it('gives completed alone for a source without events', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<Batch>('--|').pipe(responseEvents())).toBe('--(C|)', events);
    });
  });

  it("passes the source's error on, without completed", () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold('-a-#', batches).pipe(responseEvents())).toBe('-x-#', events);
    });
  });

  it('errors inside a batch that holds an error of the provider, and ends the source', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-F-b|', batches);
      const error = new ProviderStreamError({ code: 'overloaded' });
      expectObservable(source.pipe(responseEvents())).toBe('-x-(y#)', events, error);
      expectSubscriptions(source.subscriptions).toBe('      ^--!');
    });
  });

  it('gives the words of the provider without the secrets', () => {
    const redact = (text: string) => text.replace('sk-1', '***');
    const error = failureOf(of([failure]).pipe(responseEvents({ redact })));
    expect(error).toBeInstanceOf(ProviderStreamError);
    expect((error as ProviderStreamError).providerMessage).toBe('the key *** is worn out');
    expect((error as ProviderStreamError).code).toBe('overloaded');
  });

  it('skips data that is no JSON object and tells its place', () => {
    const malformed: unknown[] = [];
    const source = of<Batch[]>([content('a'), message('{"choices"')], [message('7'), content('b')]);
    const onMalformed = (event: object) => malformed.push(event);
    expect(received(source.pipe(responseEvents({ onMalformed })))).toEqual([events.x, events.y, events.C]);
    expect(malformed).toEqual([
      { length: 10, position: 1 },
      { length: 1, position: 2 },
    ]);
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a--b', batches);
      expectObservable(source.pipe(responseEvents()), '^--!').toBe('-x--', events);
      expectSubscriptions(source.subscriptions).toBe('            ^--!');
    });
  });

  it('decodes nothing more once its subscriber has left inside a batch', () => {
    const malformed: unknown[] = [];
    const onMalformed = (event: object) => malformed.push(event);
    const source = of<Batch>([content('a'), message('no JSON')]);
    expect(received(source.pipe(responseEvents({ onMalformed }), take(1)))).toEqual([events.x]);
    expect(malformed).toEqual([]);
  });

  it('keeps the state of each subscription by itself', () => {
    const turn = of<Batch>([content('a', { id: 'r1', model: 'm' })]).pipe(responseEvents());
    const expected = [events.x, completed({ responseId: 'r1', model: 'm' })];
    expect(received(turn)).toEqual(expected);
    expect(received(turn)).toEqual(expected);
  });

  it('stops an endless synchronous source', () => {
    const endless = range(0, Infinity).pipe(map((n): Batch => [content(`${n}`)]));
    expect(received(endless.pipe(responseEvents(), take(2)))).toEqual([text('0'), text('1')]);
  });

  it('stops an endless synchronous source that reports an error', () => {
    const endless = range(0, Infinity).pipe(map((): Batch => [failure]));
    expect(failureOf(endless.pipe(responseEvents()))).toBeInstanceOf(ProviderStreamError);
  });
});
