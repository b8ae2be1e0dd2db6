import { of, range, map, take } from 'rxjs';
import type { ServerSentMessage } from '../../src/relay/server-sent-message.js';
import { type MessageEventLike, toMessageEvents } from '../../src/relay/to-message-events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

const messages: Record<string, ServerSentMessage> = {
  a: { data: 'Hel' },
  b: { data: '{"type":"error"}', event: 'error', id: '7' },
};

const events: Record<string, MessageEventLike> = {
  a: { data: 'Hel' },
  b: { data: '{"type":"error"}', type: 'error', id: '7' },
  p: { data: '{"type":"ping"}', type: 'ping' },
};

describe('toMessageEvents', () => {
  it('gives each message, its name as its type', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('                                   -a---b-|', messages);
      expectObservable(source.pipe(toMessageEvents())).toBe('-a---b-|', events);
      expectSubscriptions(source.subscriptions).toBe('       ^------!');
    });
  });

  it("passes the source's error on", () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold('                                   -a-#', messages, 'broken');
      expectObservable(source.pipe(toMessageEvents())).toBe('-a-#', events, 'broken');
    });
  });

  it('fills silence with events named ping', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      const source = cold(
        '                                                               -a-----b-|',
        messages,
      );
      expectObservable(source.pipe(toMessageEvents({ heartbeat: 4, scheduler }))).toBe('-a---p-b-|', events);
    });
  });

  it('unsubscribes from the source, and rests, with its subscriber', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-', messages);
      const shown = source.pipe(toMessageEvents({ heartbeat: 4, scheduler }));
      expectObservable(shown, '                       ^-----!').toBe('-a---p-', events);
      expectSubscriptions(source.subscriptions).toBe('^-----!');
    });
  });

  it('stops an endless synchronous source', () => {
    const endless = range(0, Infinity).pipe(map(() => messages['a']!));
    expect(received(endless.pipe(toMessageEvents(), take(2)))).toEqual([events['a'], events['a']]);
  });

  it('throws at a heartbeat that is none', () => {
    expect(() => toMessageEvents({ heartbeat: 0 })).toThrow(TypeError);
  });

  it('errors at a message that cannot be written, as encodeEventStream() does', () => {
    expect(failureOf(of({ data: '', event: 'x\ndata: y' }).pipe(toMessageEvents()))).toEqual(
      new TypeError('The event of a server-sent event must be a string without line breaks.'),
    );
  });

  it('gives no field that a message does not have', () => {
    const source = of<ServerSentMessage>({ data: 'a', event: undefined, id: undefined });
    expect(received(source.pipe(toMessageEvents()))).toStrictEqual([{ data: 'a' }]);
  });

  it('gives each subscriber objects of its own, which NestJS writes ids into', () => {
    const shown = of(messages['a']!, messages['b']!).pipe(toMessageEvents());
    for (const message of received(shown)) Object.assign(message, { id: '1' });
    expect(received(shown)).toStrictEqual([events['a'], events['b']]);
  });
});
