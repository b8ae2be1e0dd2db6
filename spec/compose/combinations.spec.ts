import { merge, type Observable, shareReplay, switchMap, take, timer } from 'rxjs';
import type { RunHelpers } from 'rxjs/testing';
import { fallbackWith } from '../../src/compose/fallback-with.js';
import { hedgeWith } from '../../src/compose/hedge-with.js';
import { restartOnBreak } from '../../src/compose/restart-on-break.js';
import { coalesce } from '../../src/operators/coalesce.js';
import { requireFinish } from '../../src/operators/require-finish.js';
import { stoppedEvent, stopWhen } from '../../src/operators/stop-when.js';
import { textDeltas } from '../../src/operators/text-deltas.js';
import type { RetryOptions } from '../../src/options.js';
import { streamChatCompletions } from '../../src/stream-chat-completions.js';
import { doneChunk, type MarbleTransport, marbleTransport, textChunk } from '../../src/testing/index.js';
import { ChatCompletionsError, StreamError, TransportError } from '../../src/turn/errors.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { completed, provider, text } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';
import { sourcesInTurn } from '../support/sources-in-turn.js';

const restarting = (delay: number): ResponseEvent => ({
  type: 'restarting',
  attempt: 1,
  delay,
  error: expect.any(ChatCompletionsError) as ChatCompletionsError,
});

const values: Readonly<Record<string, ResponseEvent>> = {
  // of the first provider, of the one to fall back on, of the hedge
  a: text('Hel'),
  b: text('lo'),
  f: text('Fall'),
  g: text('back'),
  h: text('Hed'),
  i: text('ge'),
  c: completed({ finishReason: 'stop' }),
  /** Nothing says that it is whole. */
  e: completed({ endedBy: 'eof' }),
  /** From restartOnBreak(), and from fallbackWith(). */
  r: restarting(2),
  s: restarting(0),
  S: stoppedEvent,
};
const words = { A: 'Hel' };

const providers = ['first', 'second', 'hedge'] as const;
type Provider = (typeof providers)[number];
type Drawn = Readonly<Partial<Record<Provider, readonly string[]>>>;

interface Combination {
  /** What the providers say, request by request: `#` fails before there is an answer, `X` breaks one off. */
  readonly answers: Drawn;
  readonly around?: (turn: Observable<ResponseEvent>, helpers: RunHelpers) => Observable<unknown>;
  readonly result: string;
  readonly error?: unknown;
  /** Of each answer that was asked for. */
  readonly subscriptions: Drawn;
}

const combinations: Readonly<Record<string, Combination>> = {
  'nothing goes wrong, so nobody else is asked': {
    answers: { first: ['   --a-b-(c|)'] },
    result: '              --a-b-(c|)',
    subscriptions: { first: ['^-----!'] },
  },
  'a broken answer is asked for anew, and no hedge begins in its wait: it has spoken': {
    answers: { first: ['   --a-X', '   --a-b-(c|)'] },
    result: '              --a-r---a-b-(c|)',
    subscriptions: { first: ['^---!', '------^-----!'] },
  },
  'so is one that ended too early': {
    answers: { first: ['   --a-(e|)', '-b-(c|)'] },
    result: '              --a-r--b-(c|)',
    subscriptions: { first: ['^---!', '------^--!'] },
  },
  'the second provider speaks before the hedge is due': {
    answers: { first: ['   --#'], second: ['-f-g-(c|)'] },
    result: '              ---f-g-(c|)',
    subscriptions: { first: ['^-!'], second: ['--^----!'] },
  },
  'the second provider restarts like the first': {
    answers: { first: ['   -#'], second: ['-f-X', '-f-(c|)'] },
    result: '              --f-r--f-(c|)',
    subscriptions: { first: ['^!'], second: ['-^--!', '------^--!'] },
  },
  'restarts run out, and the second provider begins anew': {
    answers: { first: ['   -a-X', '-a-X'], second: ['-f-(c|)'] },
    result: '              -a-r--a-sf-(c|)',
    subscriptions: { first: ['^--!', '-----^--!'], second: ['--------^--!'] },
  },
  'the hedge speaks first, and the first provider is aborted': {
    answers: { first: ['   ---------a'], hedge: ['--h-i-(c|)'] },
    result: '              -------h-i-(c|)',
    subscriptions: { first: ['^------!'], hedge: ['-----^-----!'] },
  },
  'the first provider speaks first after all, and the hedge is aborted': {
    answers: { first: ['   ------a-b-(c|)'], hedge: ['--h'] },
    result: '              ------a-b-(c|)',
    subscriptions: { first: ['^---------!'], hedge: ['-----^!'] },
  },
  'the hedge restarts once it has spoken, and the first provider stays aborted': {
    answers: { first: ['   ---------a'], hedge: ['-h-X', '-h-(c|)'] },
    result: '              ------h-r--h-(c|)',
    subscriptions: { first: ['^-----!'], hedge: ['-----^--!', '----------^--!'] },
  },
  'the second provider, in place of the first, wins against the hedge': {
    answers: { first: ['   ------#'], second: ['-f-(c|)'], hedge: ['----h'] },
    result: '              -------f-(c|)',
    subscriptions: { first: ['^-----!'], second: ['------^--!'], hedge: ['-----^-!'] },
  },
  'the second provider, in place of the first, loses against the hedge': {
    answers: { first: ['   ------#'], second: ['-----f'], hedge: ['--h-(c|)'] },
    result: '              -------h-(c|)',
    subscriptions: { first: ['^-----!'], second: ['------^!'], hedge: ['-----^---!'] },
  },
  'the hedge speaks while the first provider waits for its restart': {
    answers: { first: ['   -----X', '-a'], hedge: ['-h-(c|)'] },
    result: '              -----rh-(c|)',
    subscriptions: { first: ['^----!'], hedge: ['-----^--!'] },
  },
  'the hedge speaks after the first provider has restarted': {
    answers: { first: ['   ----X', '-----a'], hedge: ['--h-(c|)'] },
    result: '              ----r--h-(c|)',
    subscriptions: { first: ['^---!', '------^!'], hedge: ['-----^---!'] },
  },
  'all fail, one after the other without a wait': {
    answers: { first: ['   -#'], second: ['-#'], hedge: ['-#'] },
    result: '              ---#',
    error: expect.objectContaining({
      name: 'TransportError',
      message:
        'No response from the provider. Check the base URL and the network. This was the last of 3 attempts.',
      attempts: [
        expect.any(TransportError),
        expect.any(TransportError),
        expect.any(TransportError),
      ] as unknown,
    }),
    subscriptions: { first: ['^!'], second: ['-^!'], hedge: ['--^!'] },
  },
  'coalesce: what it holds of the broken answer is never given': {
    answers: { first: ['   -ab-X', '-a-(c|)'] },
    around: (turn) => turn.pipe(coalesce(6)),
    result: '              -a--r--a-(c|)',
    subscriptions: { first: ['^---!', '------^--!'] },
  },
  'stopWhen: a stop in the wait is no restart': {
    answers: { first: ['   -a-X', '-a'] },
    around: (turn, { cold }) => turn.pipe(stopWhen(cold('----x'))),
    result: '              -a-r(S|)',
    subscriptions: { first: ['^--!'] },
  },
  'stopWhen: a stop while two are asked aborts both': {
    answers: { first: ['   --------a'], hedge: ['---h'] },
    around: (turn, { cold }) => turn.pipe(stopWhen(cold('------x'))),
    result: '              ------(S|)',
    subscriptions: { first: ['^-----!'], hedge: ['-----^!'] },
  },
  'shareReplay: who comes late shares the turn of the hedge': {
    answers: { first: ['   --------a'], hedge: ['-h-i----(c|)'] },
    around: (turn) => {
      const shared = turn.pipe(shareReplay({ bufferSize: 1, refCount: true }));
      return merge(shared, timer(7).pipe(switchMap(() => shared)));
    },
    result: '              ------hh(ii)-(cc|)',
    subscriptions: { first: ['^-----!'], hedge: ['-----^-------!'] },
  },
  'shareReplay: who comes in the wait is told of the restart': {
    answers: { first: ['   -a-X', '---b---(c|)'] },
    around: (turn) => {
      const shared = turn.pipe(shareReplay({ bufferSize: 1, refCount: true }));
      return merge(shared, timer(4).pipe(switchMap(() => shared)));
    },
    result: '              -a-rr---(bb)(cc|)',
    subscriptions: { first: ['^--!', '-----^------!'] },
  },
  'switchMap: another question aborts both that are asked': {
    answers: { first: ['   ---------a', '--a-(c|)'], hedge: ['--------h'] },
    around: (turn, { cold }) => cold('q-----(q|)').pipe(switchMap(() => turn)),
    result: '              --------a-(c|)',
    subscriptions: { first: ['^-----!', '------^---!'], hedge: ['-----^!'] },
  },
  'switchMap: another question in the wait is no restart': {
    answers: { first: ['   -a-X', '-b-(c|)'] },
    around: (turn, { cold }) => cold('q---(q|)').pipe(switchMap(() => turn)),
    result: '              -a-r-b-(c|)',
    subscriptions: { first: ['^--!', '----^--!'] },
  },
  'textDeltas: text that was given ends the turn at the break': {
    answers: { first: ['   -a-X', '-a'] },
    around: (turn) => turn.pipe(textDeltas()),
    result: '              -A-#',
    error: expect.any(StreamError),
    subscriptions: { first: ['^--!'] },
  },
  'textDeltas: where none was given, the turn restarts': {
    answers: { first: ['   -X', '-a-(c|)'] },
    around: (turn) => turn.pipe(textDeltas()),
    result: '              ----A-|',
    subscriptions: { first: ['^!', '---^--!'] },
  },
  'all of them around a turn that restarts, falls back and is stopped': {
    answers: { first: ['   -ab-X', '-#'], second: ['--f-g'] },
    around: (turn, { cold }) =>
      cold('(q|)').pipe(
        switchMap(() => turn.pipe(stopWhen(cold('----------x')), coalesce(4))),
        shareReplay({ bufferSize: 1, refCount: true }),
      ),
    result: '              -a--r----f(S|)',
    subscriptions: { first: ['^---!', '------^!'], second: ['-------^--!'] },
  },
};

describe('restartOnBreak inside fallbackWith inside hedgeWith', () => {
  describe.each(Object.entries(combinations))('%s', (_, combination) => {
    it('is drawn', () => {
      testScheduler().run((helpers) => {
        const { turn, sources } = survivingTurn(combination, helpers);
        const { result, error, subscriptions } = combination;
        helpers.expectObservable(turn).toBe(result.trim(), { ...values, ...words }, error);
        for (const provider of providers) {
          for (const [request, source] of sources[provider].entries()) {
            const drawn = subscriptions[provider]?.[request];
            helpers.expectSubscriptions(source.subscriptions).toBe(drawn === undefined ? [] : [drawn]);
          }
        }
      });
    });

    it('holds nothing once it is left, in any frame and inside any event', () => {
      const whole = play(combination);
      for (let frame = 0; frame <= whole.end + 1; frame += 1) {
        const { seen, open, timers } = play(combination, { frame });
        expect({ frame, seen, open, timers }).toEqual({
          frame,
          seen: whole.seen.filter(([time]) => time < frame),
          open: [],
          timers: 0,
        });
      }
      const times = whole.seen.filter(([, kind]) => kind === 'next').map(([time]) => time);
      for (const [index, time] of times.entries()) {
        const { seen, open, end } = play(combination, { events: index + 1 });
        // A timer that was left would have moved the clock.
        expect({ seen, open, end }).toEqual({
          seen: [...whole.seen.slice(0, index + 1), [time, 'complete']],
          open: [],
          end: time,
        });
      }
    });
  });
});

describe('fallbackWith around turns that retry', () => {
  const answer = { body: '-t(d|)', frames: { t: textChunk('Hi'), d: doneChunk() } };
  const asking = (transport: MarbleTransport, retry: RetryOptions) =>
    streamChatCompletions('Hi', { model: 'm', provider, transport, retry, includeRetries: true });
  const shown = { t: text('Hi'), c: completed({ responseId: 'chatcmpl-test', model: 'test-model' }) };
  const busy = { status: 429, headers: { 'retry-after': '60' } };

  it('falls back at once with maxRetries: 0, and the Retry-After of the one delays nobody else', () => {
    testScheduler().run((helpers) => {
      const [one, other] = [marbleTransport(helpers, [busy]), marbleTransport(helpers, [answer])];
      const turn = asking(one, { maxRetries: 0 }).pipe(fallbackWith(asking(other, { maxRetries: 0 })));
      helpers.expectObservable(turn).toBe('-t(c|)', shown);
      helpers.expectSubscriptions(one.connections[0]!.response.subscriptions).toBe('(^!)');
      helpers.expectSubscriptions(other.connections[0]!.response.subscriptions).toBe('(^!)');
    });
  });

  it('retries first where it may, and then waits as long as the provider asks', () => {
    testScheduler().run((helpers) => {
      const [one, other] = [marbleTransport(helpers, [busy, busy]), marbleTransport(helpers, [answer])];
      const turn = asking(one, { maxRetries: 1 }).pipe(fallbackWith(asking(other, { maxRetries: 0 })));
      helpers.expectObservable(turn).toBe('w 60s t(c|)', {
        ...shown,
        w: expect.objectContaining({ type: 'retrying', attempt: 1, delay: 60_000 }) as unknown,
      });
      helpers.expectSubscriptions(other.connections[0]!.response.subscriptions).toBe('60s (^!)');
    });
  });

  it('falls back at once where a provider asks for a longer wait than maxRetryAfter', () => {
    testScheduler().run((helpers) => {
      const [one, other] = [marbleTransport(helpers, [busy]), marbleTransport(helpers, [answer])];
      const turn = asking(one, { maxRetryAfter: 30_000 }).pipe(fallbackWith(asking(other, {})));
      helpers.expectObservable(turn).toBe('-t(c|)', shown);
      helpers.expectSubscriptions(other.connections[0]!.response.subscriptions).toBe('(^!)');
    });
  });

  it('lets the hedge begin in the wait of a retry, and drops that when the hedge speaks', () => {
    testScheduler().run((helpers) => {
      const [one, other] = [marbleTransport(helpers, [busy]), marbleTransport(helpers, [answer])];
      const turn = asking(one, { maxRetries: 1 }).pipe(hedgeWith(asking(other, {}), { after: 5 }));
      helpers.expectObservable(turn).toBe('w-----t(c|)', {
        ...shown,
        w: expect.objectContaining({ type: 'retrying', attempt: 1, delay: 60_000 }) as unknown,
      });
      helpers.expectSubscriptions(other.connections[0]!.body.subscriptions).toBe('-----^-!');
      helpers.flush();
      expect(one.requests).toHaveLength(1);
    });
  });

  it('tells of the attempts of all providers when all fail', () => {
    testScheduler().run((helpers) => {
      const down = { response: '-#', error: new TransportError() };
      const [one, other] = [marbleTransport(helpers, [busy]), marbleTransport(helpers, [down])];
      const turn = asking(one, { maxRetries: 0 }).pipe(fallbackWith(asking(other, { maxRetries: 0 })));
      helpers.expectObservable(turn).toBe(
        '-#',
        {},
        expect.objectContaining({
          name: 'TransportError',
          message:
            'No response from "test" at http://provider.test. Check the base URL and the network. This was the last of 2 attempts.',
        }),
      );
    });
  });
});

/** One provider that restarts, another to fall back on, and a third that is asked beside them where they are slow. */
function survivingTurn({ answers, around = (turn) => turn }: Combination, helpers: RunHelpers) {
  const sourceOf = (marbles: string) => {
    const error = marbles.includes('X') ? new StreamError() : new TransportError();
    return helpers.cold<ResponseEvent>(marbles.trim().replace('X', '#'), values, error);
  };
  const sourcesOf = (provider: Provider) => (answers[provider] ?? ['-']).map(sourceOf);
  const sources = { first: sourcesOf('first'), second: sourcesOf('second'), hedge: sourcesOf('hedge') };
  const turnOf = (provider: Provider) =>
    sourcesInTurn(...sources[provider]).pipe(
      requireFinish(),
      restartOnBreak({ maxRetries: 1, initialDelay: 2, jitter: 0 }),
    );
  const turn = turnOf('first').pipe(
    fallbackWith({ others: [turnOf('second')], afterContent: 'restart' }),
    hedgeWith(turnOf('hedge'), { after: 5 }),
  );
  return { turn: around(turn, helpers), sources };
}

/** What is seen of a combination, which is left in a frame or after some events, and what is held then. */
function play(combination: Combination, left: { readonly frame?: number; readonly events?: number } = {}) {
  const scheduler = testScheduler();
  return scheduler.run((helpers) => {
    const seen: (readonly [time: number, kind: string, value?: unknown])[] = [];
    let timers: number | undefined;
    const { turn, sources } = survivingTurn(combination, helpers);
    if (left.frame !== undefined) {
      scheduler.schedule(() => {
        subscription.unsubscribe();
        timers = scheduler.actions.filter(({ closed }) => !closed).length;
      }, left.frame);
    }
    const subscription = turn.pipe(take(left.events ?? Infinity)).subscribe({
      next: (value) => seen.push([scheduler.now(), 'next', value]),
      error: () => seen.push([scheduler.now(), 'error']),
      complete: () => seen.push([scheduler.now(), 'complete']),
    });
    helpers.flush();
    const end = scheduler.now();
    const open = Object.values(sources)
      .flat()
      .flatMap(({ subscriptions }) => subscriptions)
      .filter(({ unsubscribedFrame }) => unsubscribedFrame > (left.frame ?? end));
    return { seen, open, timers, end };
  });
}
