import type { EventSourceMessage } from 'eventsource-parser';
import { map, range, take } from 'rxjs';
import { ProviderStreamError } from '../../src/turn/errors.js';
import { decodeChatCompletions } from '../../src/response/decode-chat-completions.js';
import { completed, text } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';

const message = (data: string): EventSourceMessage => ({ id: undefined, event: undefined, data });
const content = (text: string) =>
  message(JSON.stringify({ id: 'r1', model: 'm', choices: [{ delta: { content: text } }] }));

const messages = {
  a: content('Hel'),
  b: content('lo'),
  e: message('{"error":{"code":"overloaded"}}'),
  f: message('{"id":"r1","model":"m","choices":[{"delta":{},"finish_reason":"stop"}]}'),
  m: message('not JSON'),
  D: message('[DONE]'),
};
const events = {
  x: text('Hel'),
  y: text('lo'),
  C: completed({ responseId: 'r1', model: 'm', finishReason: 'stop' }),
  E: completed({ responseId: 'r1', model: 'm', endedBy: 'eof' }),
  F: completed({ responseId: 'r1', model: 'm', finishReason: 'stop', endedBy: 'finish_reason' }),
};

describe('decodeChatCompletions', () => {
  it('gives text as it comes and completed at [DONE], and reads on until the source ends', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-m-b-f-D--b-|', messages);
      expectObservable(source.pipe(decodeChatCompletions())).toBe('-x---y---(C|)', events);
      expectSubscriptions(source.subscriptions).toBe('             ^-------------!');
    });
  });

  it('ends the source 1,000 ms after [DONE]', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-f-D', messages);
      expectObservable(source.pipe(decodeChatCompletions())).toBe('-x---(C|)', events);
      expectSubscriptions(source.subscriptions).toBe('             ^---- 1s !');
    });
  });

  it('gives a source that ends without [DONE] its completed, without a finish reason', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold('-a-|', messages).pipe(decodeChatCompletions())).toBe('-x-(E|)', events);
    });
  });

  it('completes 10 s after the finish reason, or after as long as is said, where nothing more comes', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-f', messages);
      expectObservable(source.pipe(decodeChatCompletions())).toBe('-x- 10s (F|)', events);
      expectObservable(source.pipe(decodeChatCompletions({ finishTimeout: 5 }))).toBe('-x------(F|)', events);
      expectSubscriptions(source.subscriptions).toBe(['^-- 10s !', '^-------!']);
    });
  });

  it('completes where the source breaks after the finish reason, and tells of it', () => {
    const onBreak = jest.fn();
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold('-a-f-#', messages).pipe(decodeChatCompletions({ onBreak }))).toBe(
        '-x---(F|)',
        events,
      );
    });
    expect(onBreak.mock.calls).toEqual([['error']]);
  });

  it("passes the source's error and the provider's on", () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-e-b|', messages);
      const error = new ProviderStreamError({ code: 'overloaded' });
      expectObservable(source.pipe(decodeChatCompletions())).toBe('-x-#', events, error);
      expectSubscriptions(source.subscriptions).toBe('             ^--!');
      expectObservable(cold('-a-#', messages).pipe(decodeChatCompletions())).toBe('-x-#', events);
    });
  });

  it('ends the source at once where the subscriber leaves before [DONE]', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-D', messages);
      expectObservable(source.pipe(decodeChatCompletions(), take(1))).toBe('-(x|)', events);
      expectSubscriptions(source.subscriptions).toBe('^!');
    });
  });

  it('counts the grace on the given scheduler', () => {
    const scheduler = testScheduler();
    const schedule = jest.spyOn(scheduler, 'schedule');
    scheduler.createHotObservable('(D)', messages).pipe(decodeChatCompletions({ scheduler })).subscribe();
    scheduler.flush();
    expect(schedule.mock.calls.map(([, delay]) => delay)).toContain(1_000);
  });

  it('takes no notice of options that are not its own', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const chat = { idleTimeout: 2, idleOn: 'bytes' as const, onEnd: jest.fn(), onMalformed: undefined };
      expectObservable(cold('-a-----f-D|', messages).pipe(decodeChatCompletions(chat))).toBe(
        '-x-------(C|)',
        events,
      );
      expect(chat.onEnd).not.toHaveBeenCalled();
    });
  });

  it('tells of data that is no JSON', () => {
    const malformed: unknown[] = [];
    testScheduler().run(({ cold, expectObservable }) => {
      const onMalformed = (event: object) => malformed.push(event);
      const result = cold('-a-m-f-D|', messages).pipe(decodeChatCompletions({ onMalformed }));
      expectObservable(result).toBe('-x-----(C|)', events);
    });
    expect(malformed).toEqual([{ length: 8, position: 1 }]);
  });

  it('stops an endless synchronous source', () => {
    const endless = range(0, Infinity).pipe(map((n) => content(`${n}`)));
    expect(received(endless.pipe(decodeChatCompletions(), take(2)))).toEqual([text('0'), text('1')]);
  });
});
