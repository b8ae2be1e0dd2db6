import { concat, map, of, range, take, throwError } from 'rxjs';
import {
  MissingApiKeyError,
  ProviderStreamError,
  RetryLimitError,
  TransportError,
  UnexpectedContentError,
  UnexpectedStatusError,
} from '../../src/turn/errors.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { RemoteTurnError } from '../../src/relay/remote-turn-error.js';
import { IncompleteStreamError } from '../../src/operators/require-finish.js';
import type { ServerSentMessage } from '../../src/relay/server-sent-message.js';
import { toServerSentEvents, type ToServerSentEventsOptions } from '../../src/relay/to-server-sent-events.js';
import { emptyTurn } from '../../src/turn/turn.js';
import { restartingEvent } from '../../src/testing/index.js';
import { completed, text } from '../support/events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';
import { attempts } from '../support/attempts.js';
import { toolEvents, weatherCall, wholeRun } from '../support/run-events.js';
import { ToolError } from '../../src/turn/tool-error.js';
import type { RunEvent } from '../../src/turn/run-events.js';

const values = { a: text('Hel'), b: text('lo\n\n'), c: completed({ finishReason: 'stop' }) };

const failed = new RetryLimitError(
  { status: 429, code: 'rate_limit_exceeded', retryAfter: 70_000 },
  attempts(5),
);
const messages: Record<string, ServerSentMessage> = {
  a: {
    data: '{"type":"output_item_done","item":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hel"}]}}',
  },
  b: {
    data: '{"type":"output_item_done","item":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"lo\\n\\n"}]}}',
  },
  c: { data: '{"type":"completed","responseId":"","finishReason":"stop","usage":null,"endedBy":"done"}' },
  D: { data: '[DONE]' },
  E: {
    data: '{"type":"error","error":{"name":"RetryLimitError","status":429,"code":"rate_limit_exceeded","retryAfter":70000}}',
    event: 'error',
  },
};

/** What a front end is told of an error. */
function told(error: unknown, options: ToServerSentEventsOptions = {}): unknown {
  const [message] = received(throwError(() => error).pipe(toServerSentEvents(options)));
  expect(message?.event).toBe('error');
  return JSON.parse(message?.data ?? 'null');
}

describe('toServerSentEvents', () => {
  describe('ids', () => {
    const logged = (id: unknown, event: RunEvent = values.a): RunEvent => Object.assign({ id }, event);

    it("is the message's, and not in the data; the end has none", () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<RunEvent>('-a-b-(c|)', {
          a: logged('1-1', values.a),
          b: logged('1-3', values.b),
          c: logged('1-4', values.c),
        });
        expectObservable(source.pipe(toServerSentEvents())).toBe('-a-b-(cD|)', {
          ...messages,
          a: { ...messages['a'], id: '1-1' },
          b: { ...messages['b'], id: '1-3' },
          c: { ...messages['c'], id: '1-4' },
        });
        expectSubscriptions(source.subscriptions).toBe('         ^----!');
      });
    });

    it('is there with an error inside the event, and with none of the error that ends the stream', () => {
      const restarting = logged('2-1', restartingEvent({ error: failed }));
      const source = concat(
        of(restarting),
        throwError(() => failed),
      );
      const [first, last] = received(source.pipe(toServerSentEvents()));
      expect(first?.id).toBe('2-1');
      expect(JSON.parse(first?.data ?? '')).toEqual({
        type: 'restarting',
        attempt: 1,
        delay: 0,
        error: { name: 'RetryLimitError', status: 429, code: 'rate_limit_exceeded', retryAfter: 70_000 },
      });
      expect(last).toEqual(messages['E']);
    });

    it.each([
      ['a line feed', '1-1\ndata: x'],
      ['a carriage return', '1-1\rdata: x'],
      ['a NUL', '1-1\0'],
      ['a space', '1 1'],
      ['what is no ASCII', '1–1'],
      ['nothing', ''],
      ['1,025 characters', '1'.repeat(1_025)],
      ['a number', 1],
      ['null', null],
      ['undefined', undefined],
      ['an object', { toString: () => '1-1' }],
    ])('is left out where no header can carry it: %s', (_, id) => {
      expect(received(of(logged(id)).pipe(toServerSentEvents()))).toEqual([messages['a'], messages['D']]);
    });

    it('may have 1,024 characters', () => {
      const id = '~'.repeat(1_024);
      expect(received(of(logged(id)).pipe(toServerSentEvents()))[0]).toEqual({ ...messages['a'], id });
    });
  });

  it('gives each event as one message, and the end mark after the last', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-(c|)', values);
      expectObservable(source.pipe(toServerSentEvents())).toBe('-a-b-(cD|)', messages);
      expectSubscriptions(source.subscriptions).toBe('         ^----!');
    });
  });

  it('gives the end mark once the source has ended, after several turns too', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-a-c-b-c--|', values);
      expectObservable(source.pipe(toServerSentEvents())).toBe('-a-c-b-c--(D|)', messages);
      expectObservable(cold<ResponseEvent>('-|').pipe(toServerSentEvents())).toBe('-(D|)', messages);
    });
  });

  it('gives an error as a message in place of the end mark, and completes', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-#', values, failed);
      expectObservable(source.pipe(toServerSentEvents())).toBe('-a-(E|)', messages);
      expectSubscriptions(source.subscriptions).toBe('         ^--!');
    });
  });

  it('gives restarting as a message, and goes on', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const r = restartingEvent({ attempt: 2, delay: 400, error: failed });
      const source = cold<ResponseEvent>('-a-r-b-(c|)', { ...values, r });
      expectObservable(source.pipe(toServerSentEvents())).toBe('-a-R-b-(cD|)', {
        ...messages,
        R: {
          data: '{"type":"restarting","attempt":2,"delay":400,"error":{"name":"RetryLimitError","status":429,"code":"rate_limit_exceeded","retryAfter":70000}}',
        },
      });
      expectSubscriptions(source.subscriptions).toBe('         ^------!');
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b', values);
      expectObservable(source.pipe(toServerSentEvents()), '^-!').toBe('-a-', messages);
      expectSubscriptions(source.subscriptions).toBe('                ^-!');
    });
  });

  it('repeats no name or id of more than 1,024 characters: what it writes stays of the size of what it is given', () => {
    const delta = (callId: string, name: string): ResponseEvent => ({
      type: 'function_call_arguments_delta',
      callId,
      name,
      index: 0,
      delta: '{}',
    });
    const long = 'n'.repeat(1_048_576);
    for (const [callId, name] of [
      [long, 'f'],
      ['id', long],
      ['id', 'n'.repeat(1_025)],
    ] as const) {
      const item: ResponseEvent = {
        type: 'output_item_done',
        item: { type: 'function_call', call_id: callId, name, arguments: '{}' },
      };
      const written = received(
        concat(range(0, 300).pipe(map(() => delta(callId, name))), of(item)).pipe(toServerSentEvents()),
      );
      expect(written.map(({ data }) => data)).toEqual([JSON.stringify(item), '[DONE]']);
    }
    const longest = delta('i'.repeat(1_024), 'n'.repeat(1_024));
    expect(received(of(longest).pipe(toServerSentEvents()))).toHaveLength(2);
  });

  it('stops an endless synchronous source', () => {
    const deltas = range(0, Infinity).pipe(map(() => values.a));
    expect(received(deltas.pipe(toServerSentEvents(), take(2)))).toEqual([messages['a'], messages['a']]);
  });

  it('writes a stopped turn as it is', () => {
    const [message] = received(of(completed({ stopped: true })).pipe(toServerSentEvents()));
    expect(message).toEqual({
      data: '{"type":"completed","responseId":"","finishReason":null,"usage":null,"stopped":true}',
    });
  });

  it('writes what cannot be JSON as an error', () => {
    const chunk: Record<string, unknown> = { big: 1n };
    expect(received(of<ResponseEvent[]>({ type: 'chunk', chunk }).pipe(toServerSentEvents()))).toEqual([
      { data: '{"type":"error","error":{"name":"Error"}}', event: 'error' },
    ]);
  });

  describe('tells a front end', () => {
    const said = 'sk-secret, and what the user asked';

    it.each([
      [
        new UnexpectedStatusError({ status: 401, code: 'invalid_api_key', requestId: 'req_1', body: said }),
        { name: 'UnexpectedStatusError', status: 401, code: 'invalid_api_key' },
      ],
      [
        new RetryLimitError({ status: 503, retryAfter: 90_000, body: said }, attempts(5)),
        { name: 'RetryLimitError', status: 503, retryAfter: 90_000 },
      ],
      [
        new ProviderStreamError({ code: 'overloaded', type: 'server_error', status: 529, message: said }),
        { name: 'ProviderStreamError', status: 529, code: 'overloaded' },
      ],
      [new TransportError({ cause: new Error(said) }), { name: 'TransportError' }],
      [new MissingApiKeyError('openai', 'OPENAI_API_KEY', said), { name: 'MissingApiKeyError' }],
      [
        new UnexpectedContentError({ status: 200, contentType: 'text/html', snippet: said }),
        { name: 'UnexpectedContentError', status: 200 },
      ],
      [new IncompleteStreamError({ ...emptyTurn, text: said }), { name: 'IncompleteStreamError' }],
      [
        new RemoteTurnError({ name: 'RetryLimitError', status: 429, code: 'x', message: said }),
        { name: 'RemoteTurnError', status: 429, code: 'x' },
      ],
    ])('of %p its name, status, code and retryAfter', (error, expected) => {
      expect(told(error)).toStrictEqual({ type: 'error', error: expected });
    });

    it.each([
      [Object.assign(new TypeError(said), { code: '23505', status: 500 })],
      [{ name: said, message: said, status: 400 }],
      [said],
      [undefined],
      [null],
    ])('nothing of an error that is not of this library: %p', (error) => {
      expect(told(error)).toStrictEqual({ type: 'error', error: { name: 'Error' } });
    });

    it('no code that is prose, and no wait without end', () => {
      const error = new UnexpectedStatusError({ status: 400, code: said, retryAfter: Infinity });
      expect(told(error)).toStrictEqual({
        type: 'error',
        error: { name: 'UnexpectedStatusError', status: 400 },
      });
    });

    it('of a retry no more than of an error', () => {
      const error = new UnexpectedStatusError({ status: 503, requestId: 'req_1', body: said });
      const retry: ResponseEvent = { type: 'retrying', attempt: 1, delay: 200, error };
      expect(received(of(retry).pipe(toServerSentEvents()))).toEqual([
        {
          data: '{"type":"retrying","attempt":1,"delay":200,"error":{"name":"UnexpectedStatusError","status":503}}',
        },
        messages['D'],
      ]);
    });

    it('what toError says, of retries too', () => {
      const toError = (error: unknown) => ({
        name: 'Busy',
        message: error instanceof TransportError ? 'Try again.' : 'Sorry.',
        code: 'busy',
      });
      const busy = (message: string) => ({ name: 'Busy', message, code: 'busy' });
      expect(told(failed, { toError })).toStrictEqual({ type: 'error', error: busy('Sorry.') });
      const retry: ResponseEvent = { type: 'retrying', attempt: 1, delay: 200, error: new TransportError() };
      const [message] = received(of(retry).pipe(toServerSentEvents({ toError })));
      expect(JSON.parse(message?.data ?? 'null')).toEqual({ ...retry, error: busy('Try again.') });
    });

    it('nothing of what toError gives beside what is asked', () => {
      const toError = () => ({ name: 'not a name', status: 7, code: said, retryAfter: -1, body: said });
      expect(told(failed, { toError })).toStrictEqual({ type: 'error', error: { name: 'Error' } });
    });
  });

  it('fails with what toError throws', () => {
    const toError = () => {
      throw new Error('toError');
    };
    expect(failureOf(throwError(() => failed).pipe(toServerSentEvents({ toError })))).toEqual(
      new Error('toError'),
    );
  });
});

describe('toServerSentEvents of a run', () => {
  const dataOf = (...events: readonly RunEvent[]): readonly unknown[] =>
    received(of(...events).pipe(toServerSentEvents()))
      .slice(0, -1)
      .map(({ data }) => JSON.parse(data) as unknown);

  it('writes every event, and the end mark after the last', () => {
    const written = received(of(...wholeRun).pipe(toServerSentEvents()));
    expect(written.map(({ data }) => /^\{"type":"(\w+)"|^\[DONE\]$/.exec(data)?.[1])).toEqual([
      ...wholeRun.map(({ type }) => type),
      undefined,
    ]);
  });

  it('tells of a failed tool what it tells of other errors: name and code', () => {
    const cause = new Error('sk-secret');
    const error = new ToolError('timeout', weatherCall, { cause, issues: [{ message: 'Bern' }] });
    const failed = { ...toolEvents.finished, error };
    expect(dataOf(failed)).toEqual([
      { ...toolEvents.finished, error: { name: 'ToolError', code: 'timeout' } },
    ]);
    const toError = () => ({ name: 'Busy', message: 'Sorry.' });
    const [message] = received(of(failed).pipe(toServerSentEvents({ toError })));
    expect(JSON.parse(message?.data ?? '')).toMatchObject({ error: { name: 'Busy', message: 'Sorry.' } });
  });

  it('tells of no error where there is none', () => {
    const finished = { ...toolEvents.finished, error: undefined } as unknown as RunEvent;
    expect(dataOf(finished)).toEqual([toolEvents.finished]);
  });

  const levels = (depth: number): object => (depth === 1 ? {} : { a: levels(depth - 1) });
  const cycle: Record<string, unknown> = {};
  cycle['a'] = [cycle, cycle];
  const refusing = {
    toJSON() {
      throw new Error('no');
    },
  };

  it.each<[string, unknown]>([
    ['a cycle', cycle],
    ['a BigInt', { size: 1n }],
    ['nothing', undefined],
    ['a function', () => 1],
    ['what refuses to be written', refusing],
    ['101 levels', levels(101)],
    ['200,000 levels', JSON.parse('['.repeat(200_000) + ']'.repeat(200_000))],
  ])('leaves out progress, and changed arguments, that are %s', (_, value) => {
    const { started, progress, finished } = toolEvents;
    const events = [{ ...started, arguments: value }, { ...progress, value }, finished];
    expect(dataOf(...events)).toEqual([started, finished]);
  });

  it.each([null, 0, '', 'half', [1], { a: { b: [] } }, levels(100)])('writes the progress %j', (value) => {
    const event = { ...toolEvents.progress, value };
    expect(dataOf(event)).toEqual([event]);
  });
});
