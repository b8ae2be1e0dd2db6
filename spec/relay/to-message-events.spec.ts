import { of } from 'rxjs';
import { RetryLimitError } from '../../src/turn/errors.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import type { ServerSentMessage } from '../../src/relay/server-sent-protocol.js';
import { toMessageEvents } from '../../src/relay/to-message-events.js';
import { completed, text } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';

const values = { a: text('Hel'), c: completed({ finishReason: 'stop' }) };

const messages: Record<string, ServerSentMessage> = {
  a: { data: JSON.stringify(values.a) },
  c: { data: JSON.stringify(values.c) },
  D: { data: '[DONE]' },
  E: { data: '{"type":"error","error":{"name":"RetryLimitError","status":429}}', type: 'error' },
  p: { data: '{"type":"ping"}', type: 'ping' },
};

describe('toMessageEvents', () => {
  it('gives a message for each event, and the end mark', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a---(c|)', values);
      expectObservable(source.pipe(toMessageEvents())).toBe('-a---(cD|)', messages);
      expectSubscriptions(source.subscriptions).toBe('      ^----!');
    });
  });

  it('gives an error as a message, and completes', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = new RetryLimitError({ status: 429, body: 'private' }, 1);
      const source = cold<ResponseEvent>('-a-#', values, error);
      expectObservable(source.pipe(toMessageEvents())).toBe('-a-(E|)', messages);
      expectSubscriptions(source.subscriptions).toBe('      ^--!');
    });
  });

  it('fills silence with events named ping', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-a-----(c|)', values);
      expectObservable(source.pipe(toMessageEvents({ heartbeat: 4, scheduler }))).toBe(
        '-a---p-(cD|)',
        messages,
      );
    });
  });

  it('unsubscribes from the source, and rests, with its subscriber', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-', values);
      const shown = source.pipe(toMessageEvents({ heartbeat: 4, scheduler }));
      expectObservable(shown, '^-----!').toBe('-a---p-', messages);
      expectSubscriptions(source.subscriptions).toBe('^-----!');
    });
  });

  it('takes its options as toServerSentEvents() does', () => {
    expect(() => toMessageEvents({ heartbeat: 0 })).toThrow(TypeError);
  });

  it('gives each subscriber messages of its own, which NestJS writes ids into', () => {
    const shown = of<ResponseEvent[]>(values.a, values.c).pipe(toMessageEvents());
    const first = received(shown);
    for (const message of first) Object.assign(message, { id: '1' });
    expect(received(shown)).toStrictEqual([messages['a'], messages['c'], messages['D']]);
  });
});
