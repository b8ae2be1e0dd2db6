import type { EventSourceMessage } from 'eventsource-parser';
import { map, range, take } from 'rxjs';
import { toResponseEvents } from '../../src/response/to-response-events.js';
import { ProviderStreamError } from '../../src/turn/errors.js';
import { completed, text } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';

const message = (data: string): EventSourceMessage => ({ id: undefined, event: undefined, data });
const content = (words: string) => message(JSON.stringify({ choices: [{ delta: { content: words } }] }));
const failure = message('{"error":{"code":"overloaded"}}');

/** Made anew for each: arrays are emptied as they are read. */
const batches = () => ({
  a: [content('a')],
  b: [content('b'), content('c')],
  e: [],
  F: [content('b'), failure, content('c')],
});
const events = { x: text('a'), y: text('b'), z: text('c'), C: completed() };

describe('toResponseEvents', () => {
  it('gives the events of each array at once, and completed where they end', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<EventSourceMessage[]>('-a-e-b---|', batches());
      expectObservable(source.pipe(toResponseEvents())).toBe('-x---(yz)(C|)', events);
      expectSubscriptions(source.subscriptions).toBe('^--------!');
    });
  });

  it('passes an error on, without completed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<EventSourceMessage[]>('-a-#', batches()).pipe(toResponseEvents())).toBe(
        '-x-#',
        events,
      );
    });
  });

  it('errors where the provider reports one, after what came before it, and ends the source', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<EventSourceMessage[]>('-a-F-b', batches());
      const error = new ProviderStreamError({ code: 'overloaded' });
      expectObservable(source.pipe(toResponseEvents())).toBe('-x-(y#)', events, error);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('unsubscribes with its subscriber, inside an array too', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<EventSourceMessage[]>('-a-b-a', batches());
      expectObservable(source.pipe(toResponseEvents(), take(2))).toBe('-x-(y|)', events);
      expectSubscriptions(source.subscriptions).toBe('^--!');
      const left = cold<EventSourceMessage[]>('-a-b-a', batches());
      expectObservable(left.pipe(toResponseEvents()), '^-!').toBe('-x-', events);
      expectSubscriptions(left.subscriptions).toBe('^-!');
    });
  });

  it('empties each array that it has read', () => {
    const all = [[content('a')], [content('b'), content('c')]];
    received(
      range(0, 2).pipe(
        map((index) => all[index] ?? []),
        toResponseEvents(),
      ),
    );
    expect(all).toEqual([[], []]);
  });

  it('stops an endless synchronous source', () => {
    const endless = range(0, Infinity).pipe(map((n) => [content(`${n}`)]));
    expect(received(endless.pipe(toResponseEvents(), take(2)))).toEqual([text('0'), text('1')]);
  });
});
