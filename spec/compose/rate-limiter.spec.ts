import fc from 'fast-check';
import { merge, type Observable, Subscription, VirtualTimeScheduler } from 'rxjs';
import {
  type LimiterKey,
  rateLimiter,
  type RateLimiter,
  type RateLimiterOptions,
} from '../../src/compose/rate-limiter.js';
import { streamChatCompletions } from '../../src/stream-chat-completions.js';
import { textDeltas } from '../../src/operators/text-deltas.js';
import { marbleTransport } from '../../src/testing/marble-transport.js';
import { scriptedTransport } from '../../src/testing/scripted-transport.js';
import { tokenUsage, turnOf } from '../../src/testing/turn-events.js';
import { doneChunk, textChunk } from '../../src/testing/wire-chunks.js';
import { wireOf } from '../../src/testing/wire-of.js';
import type { Diagnostic } from '../../src/turn/diagnostics.js';
import { UnexpectedStatusError } from '../../src/turn/errors.js';
import { provider } from '../support/events.js';
import { heapUsed } from '../support/heap.js';
import { testScheduler } from '../support/marbles.js';

/** A limiter in virtual time, with a log of what it admitted, and when. */
function limited(options: Omit<RateLimiterOptions, 'scheduler'> = {}) {
  const clock = new VirtualTimeScheduler();
  const limiter = rateLimiter({ ...options, scheduler: clock });
  const log: string[] = [];

  /** An attempt that runs for so long. */
  function ask(name: string, runsFor: number, key: LimiterKey = {}): Subscription {
    const attempt = new Subscription();
    attempt.add(
      limiter
        .for(key)
        .admission({ body: '' })
        .subscribe(() => {
          log.push(`${name}@${clock.now()}`);
          if (runsFor !== Infinity) attempt.add(clock.schedule(() => attempt.unsubscribe(), runsFor));
        }),
    );
    return attempt;
  }

  return {
    clock,
    limiter,
    ask,
    /** What was admitted by the time nothing is left to be done. */
    admitted: () => {
      clock.flush();
      return log.join(' ');
    },
    at: (time: number, work: () => void) => clock.schedule(work, time),
  };
}

/** What a turn of a key reports. */
function reporter(limiter: RateLimiter, key: LimiterKey) {
  const { diagnostics } = limiter.for(key);
  const report = (diagnostic: object) => diagnostics({ turn: 1, attempt: 1, ...diagnostic } as Diagnostic);
  return {
    request: (bodyLength: number) => report({ type: 'request', url: '', bodyLength }),
    response: (status: number, rateLimits: Readonly<Record<string, string>>) =>
      report({ type: 'response', status, requestId: undefined, rateLimits }),
    retry: (delay: number, retryAfter?: number) =>
      report({ type: 'retry', delay, error: new UnexpectedStatusError({ status: 429, retryAfter }) }),
    end: (totalTokens?: number) =>
      report({
        type: 'end',
        outcome: 'completed',
        usage: totalTokens === undefined ? undefined : tokenUsage({ inputTokens: totalTokens }),
      }),
  };
}

describe('rateLimiter', () => {
  it('lets a turn begin when one of those before it has ended', () => {
    testScheduler().run((helpers) => {
      const limiter = rateLimiter({ concurrency: 1 });
      const frames = { a: textChunk('Hel'), b: textChunk('lo'), d: doneChunk() };
      const transport = marbleTransport(helpers, [
        { body: '-a-b-(d|)', frames },
        { body: '--a-(d|)', frames },
      ]);
      const ask = () =>
        streamChatCompletions('Hi', { model: 'm', provider, transport, ...limiter.for() }).pipe(textDeltas());
      helpers.expectObservable(merge(ask(), ask())).toBe('-a-b---a-|', { a: 'Hel', b: 'lo' });
      helpers.expectSubscriptions(transport.connections[0]!.body.subscriptions).toBe('^----!');
      helpers.expectSubscriptions(transport.connections[1]!.body.subscriptions).toBe('-----^---!');
    });
  });

  it('admits everything where nothing is limited', () => {
    const { ask, admitted } = limited();
    for (const name of ['a', 'b', 'c']) ask(name, Infinity);
    expect(admitted()).toBe('a@0 b@0 c@0');
  });

  it('admits so many requests at once, and the next as the bucket refills', () => {
    const { ask, admitted } = limited({ requests: 2, per: 100 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) ask(name, 1);
    expect(admitted()).toBe('a@0 b@0 c@50 d@100 e@150');
  });

  it('refills no more than it holds', () => {
    const { ask, admitted, at } = limited({ requests: 2, per: 100 });
    at(1_000, () => ['a', 'b', 'c'].forEach((name) => ask(name, 1)));
    expect(admitted()).toBe('a@1000 b@1000 c@1050');
  });

  it('counts tokens: what a turn says it costs, or a quarter of its length', () => {
    const { ask, admitted } = limited({ tokens: 100, per: 100 });
    ask('a', 1, { tokens: 60 });
    ask('b', 1, { tokens: 60 });
    expect(admitted()).toBe('a@0 b@20');
    const other = limited({ tokens: 100, per: 100 });
    const log: number[] = [];
    for (const length of [240, 240])
      other.limiter
        .for()
        .admission({ body: 'x'.repeat(length) })
        .subscribe(() => log.push(other.clock.now()));
    other.clock.flush();
    expect(log).toEqual([0, 20]);
  });

  it('lets what needs more than there can be begin with a full bucket', () => {
    const { ask, admitted } = limited({ tokens: 100, per: 100 });
    ask('small', 1, { tokens: 10 });
    ask('large', 1, { tokens: 250 });
    ask('next', 1, { tokens: 50 });
    expect(admitted()).toBe('small@0 large@10 next@210');
  });

  it.each([NaN, Infinity, -1])('takes no %s for the tokens of a turn', (tokens) => {
    expect(() => rateLimiter().for({ tokens })).toThrow(
      new TypeError('tokens must be a finite number of at least 0.'),
    );
  });

  it('admits so many at a time, until they are released', () => {
    const { ask, admitted } = limited({ concurrency: 2 });
    ask('a', 30);
    ask('b', 10);
    ask('c', 5);
    ask('d', 5);
    expect(admitted()).toBe('a@0 b@0 c@10 d@15');
  });

  it('lets keys take turns, and keeps the order of each', () => {
    const { ask, admitted } = limited({ concurrency: 1 });
    for (const name of ['a1', 'a2', 'a3']) ask(name, 10, { key: 'a' });
    for (const name of ['b1', 'b2']) ask(name, 10, { key: 'b' });
    ask('c1', 10, { key: 'c' });
    expect(admitted()).toBe('a1@0 a2@10 b1@20 c1@30 a3@40 b2@50');
  });

  it('is left by an attempt that waits', () => {
    const { ask, admitted, at } = limited({ requests: 1, per: 100 });
    ask('a', 1);
    const b = ask('b', 1);
    ask('c', 1);
    at(50, () => b.unsubscribe());
    expect(admitted()).toBe('a@0 c@100');
  });

  it('wakes for nobody who has left', () => {
    const { ask, clock } = limited({ requests: 1, per: 100 });
    ask('a', 1);
    ask('b', 1).unsubscribe();
    clock.flush();
    expect(clock.now()).toBe(1);
  });

  it('admits what is asked for while it admits', () => {
    const { limiter, ask, admitted } = limited({ requests: 2, per: 100 });
    limiter
      .for()
      .admission({ body: '' })
      .subscribe(() => ask('inner', 1));
    ask('outer', 1);
    expect(admitted()).toBe('inner@0 outer@50');
  });

  it('goes on where a clock is set back', () => {
    const { limiter, clock, ask, admitted, at } = limited({ requests: 1, per: 100 });
    ask('a', 1);
    at(10, () => (clock.frame = 0));
    at(20, () => ask('b', 1));
    expect(limiter).toBeDefined();
    expect(admitted()).toMatch(/^a@0 b@/);
  });

  describe('learns', () => {
    it('from a 429: it closes the gate for all of its key, and for no other', () => {
      const { limiter, ask, admitted } = limited();
      reporter(limiter, { key: 'a' }).retry(40);
      ask('a1', 1, { key: 'a' });
      ask('a2', 1, { key: 'a' });
      ask('b1', 1, { key: 'b' });
      expect(admitted()).toBe('b1@0 a1@40 a2@40');
    });

    it.each([
      ['seconds', 429, { 'retry-after': '2' }, 2_000],
      ['milliseconds', 429, { 'retry-after-ms': '30' }, 30],
      ['a 503', 503, { 'retry-after': '2' }, 2_000],
      ['an answer that is none of a limit', 200, { 'retry-after': '2' }, 0],
    ])('from Retry-After: %s', (_, status, headers, opens) => {
      const { limiter, ask, admitted } = limited();
      reporter(limiter, {}).response(status, headers);
      ask('a', 1);
      expect(admitted()).toBe(`a@${opens}`);
    });

    it('the longer of two waits', () => {
      const { limiter, ask, admitted } = limited();
      const { retry } = reporter(limiter, {});
      retry(5, 70);
      retry(20);
      ask('a', 1);
      expect(admitted()).toBe('a@70');
    });

    it.each<[string, Readonly<Record<string, string>>, string]>([
      [
        "OpenAI's",
        {
          'x-ratelimit-remaining-requests': '1',
          'x-ratelimit-reset-requests': '8.64s',
          'x-ratelimit-remaining-tokens': '149984',
          'x-ratelimit-reset-tokens': '6m0s',
        },
        'a@0 b@8640 c@8640',
      ],
      [
        "Groq's",
        {
          'x-ratelimit-remaining-requests': '14370',
          'x-ratelimit-reset-requests': '2m59.56s',
          'x-ratelimit-remaining-tokens': '15',
          'x-ratelimit-reset-tokens': '7.66s',
        },
        'a@0 b@7660 c@7660',
      ],
      [
        "Azure's, which name seconds",
        {
          'x-ratelimit-remaining-requests': '2',
          'x-ratelimit-reset-requests': '10',
          'x-ratelimit-remaining-tokens': '9000',
          'x-ratelimit-reset-tokens': '1',
        },
        'a@0 b@0 c@10000',
      ],
      ["Azure's without a reset", { 'x-ratelimit-remaining-requests': '0' }, 'a@0 b@0 c@0'],
      ['nothing readable', { 'x-ratelimit-remaining-requests': 'many' }, 'a@0 b@0 c@0'],
    ])('from the headers: %s', (_, headers, expected) => {
      const { limiter, ask, admitted } = limited();
      reporter(limiter, {}).response(200, headers);
      for (const name of ['a', 'b', 'c']) ask(name, 1, { tokens: 10 });
      expect(admitted()).toBe(expected);
    });

    it('that what runs beside an answer is not in its figures', () => {
      const { limiter, ask, admitted, at } = limited();
      ask('a', 50);
      ask('b', 50);
      at(1, () => {
        reporter(limiter, {}).response(200, {
          'x-ratelimit-remaining-requests': '2',
          'x-ratelimit-reset-requests': '10s',
        });
        ask('c', 1);
        ask('d', 1);
      });
      expect(admitted()).toBe('a@0 b@0 c@1 d@10001');
    });

    it('what a turn has cost, at its end', () => {
      const { limiter, ask, admitted } = limited({ tokens: 100, per: 100 });
      const { request, end } = reporter(limiter, { tokens: 100 });
      ask('a', 1, { tokens: 100 });
      request(1_000);
      end(30);
      ask('b', 1, { tokens: 70 });
      ask('c', 1, { tokens: 10 });
      expect(admitted()).toBe('a@0 b@0 c@10');
    });

    it('that a turn has cost more', () => {
      const { limiter, ask, admitted } = limited({ tokens: 100, per: 100 });
      const { request, end } = reporter(limiter, { tokens: 10 });
      ask('a', 1, { tokens: 10 });
      request(1_000);
      end(150);
      ask('b', 1, { tokens: 10 });
      expect(admitted()).toBe('a@0 b@60');
    });

    it.each([
      ['without usage', undefined],
      ['with usage of nothing', 0],
    ])('nothing from an end %s', (_, usage) => {
      const { limiter, ask, admitted } = limited({ tokens: 100, per: 100 });
      const { request, end } = reporter(limiter, { tokens: 100 });
      ask('a', 1, { tokens: 100 });
      request(1_000);
      end(usage);
      ask('b', 1, { tokens: 10 });
      expect(admitted()).toBe('a@0 b@10');
    });
  });

  it('believes no provider that its turn has cost more than a turn can', () => {
    const { limiter, ask, admitted } = limited({ tokens: 1_000_000, per: 100 });
    reporter(limiter, {}).end(Number.MAX_SAFE_INTEGER);
    ask('a', 1, { key: 'another', tokens: 1 });
    expect(admitted()).toBe('a@901');
  });

  it('wakes for each key that is held back, and for the rest where the first has left', () => {
    const { limiter, ask, admitted, at } = limited();
    for (const [key, seconds] of Object.entries({ a: '0.03', b: '0.05', c: '0.07' }))
      reporter(limiter, { key }).response(429, { 'retry-after': seconds });
    const a = ask('a', 1, { key: 'a' });
    ask('c', 1, { key: 'c' });
    ask('b', 1, { key: 'b' });
    at(10, () => a.unsubscribe());
    expect(admitted()).toBe('b@50 c@70');
  });

  it('starves nobody, whatever is asked for', () => {
    const attempt = fc.record({
      at: fc.nat({ max: 200 }),
      key: fc.constantFrom('a', 'b', 'c'),
      tokens: fc.nat({ max: 250 }),
      runsFor: fc.integer({ min: 1, max: 50 }),
    });
    const limits = fc.record({
      requests: fc.integer({ min: 1, max: 5 }),
      tokens: fc.integer({ min: 1, max: 200 }),
      per: fc.integer({ min: 1, max: 100 }),
      concurrency: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(limits, fc.array(attempt, { minLength: 1, maxLength: 40 }), (options, attempts) => {
        const { at, ask, admitted } = limited(options);
        attempts.forEach(({ at: time, key, tokens, runsFor }, index) =>
          at(time, () => ask(String(index), runsFor, { key, tokens })),
        );
        const order = admitted()
          .split(' ')
          .map((entry) => Number(entry.split('@')[0]));
        expect([...order].sort((a, b) => a - b)).toEqual(attempts.map((_, index) => index));
        for (const key of ['a', 'b', 'c']) {
          const ofKey = order.filter((index) => attempts[index]!.key === key);
          const asAsked = [...ofKey].sort((a, b) => attempts[a]!.at - attempts[b]!.at || a - b);
          expect(ofKey).toEqual(asAsked);
        }
      }),
    );
  });

  it.each([
    ['requests', 0],
    ['tokens', -1],
    ['per', NaN],
    ['concurrency', '3'],
  ])('refuses %s: %p', (name, value) => {
    expect(() => rateLimiter({ [name]: value as number })).toThrow(
      new TypeError(`options.${name} must be a number of at least 1.`),
    );
  });
});

describe('Turns with a rate limiter', () => {
  const hello = { body: wireOf(turnOf('Hello', { usage: { inputTokens: 40, outputTokens: 10 } })) };

  /** Turns in virtual time, and when their requests were sent. */
  function turnsOf(
    clock: VirtualTimeScheduler,
    transport: ReturnType<typeof scriptedTransport>,
    sent: string[],
  ) {
    return (name: string, options: object): Observable<unknown> =>
      streamChatCompletions('Hi', {
        model: 'm',
        provider,
        scheduler: clock,
        retry: { jitter: 0 },
        ...options,
        transport: (request) => {
          sent.push(`${name}@${clock.now()}`);
          return transport(request);
        },
      });
  }

  it('wait for one that was told to wait, with the same key, and no longer with another', () => {
    const clock = new VirtualTimeScheduler();
    const limiter = rateLimiter({ scheduler: clock });
    const sent: string[] = [];
    const busy = { status: 429, headers: { 'retry-after': '3' } };
    const turn = turnsOf(clock, scriptedTransport(busy, hello, hello, hello), sent);
    const [alice, bob] = [limiter.for({ key: 'alice' }), limiter.for({ key: 'bob' })];
    turn('first', alice).subscribe();
    clock.schedule(() => turn('second', alice).subscribe(), 10);
    clock.schedule(() => turn('other', bob).subscribe(), 10);
    clock.flush();
    expect(sent).toEqual(['first@0', 'other@10', 'second@3000', 'first@3000']);
  });

  it('are released at their end, and settle what they have cost', () => {
    const clock = new VirtualTimeScheduler();
    const limiter = rateLimiter({ tokens: 100, per: 100, concurrency: 1, scheduler: clock });
    const sent: string[] = [];
    const turn = turnsOf(clock, scriptedTransport(hello, hello, hello), sent);
    const options = limiter.for({ tokens: 100 });
    for (const name of ['a', 'b', 'c']) turn(name, options).subscribe();
    clock.flush();
    expect(sent).toEqual(['a@0', 'b@50', 'c@100']);
  });

  it('leave no memory of 100,000 of them, each with a key of its own', async () => {
    const clock = new VirtualTimeScheduler();
    const limiter = rateLimiter({ requests: 1e9, scheduler: clock });
    const about = { turn: 1, attempt: 1 };
    const ended = {
      outcome: 'completed',
      error: undefined,
      events: 1,
      comments: 0,
      malformed: 0,
      usage: undefined,
      responseId: undefined,
      model: undefined,
      finishReasons: [],
    } as const;

    function turnOfKey(key: string): void {
      const { admission, diagnostics } = limiter.for({ key });
      const running = admission({ body: '' }).subscribe();
      diagnostics({ ...about, type: 'request', url: '', bodyLength: 4 });
      running.unsubscribe();
      diagnostics({ ...about, type: 'end', ...ended });
    }

    for (let turn = 0; turn < 1_000; turn += 1) turnOfKey(`warm ${turn}`);
    const before = await heapUsed();
    for (let turn = 0; turn < 100_000; turn += 1) turnOfKey(`key ${turn}`);
    expect((await heapUsed()) - before).toBeLessThan(2 ** 20);
    expect(clock.actions).toHaveLength(0);
  });

  it('forget what a provider has told once that is over', async () => {
    const clock = new VirtualTimeScheduler();
    const limiter = rateLimiter({ scheduler: clock });
    const ask = (key: string) => limiter.for({ key }).admission({ body: '' }).subscribe().unsubscribe();
    const before = await heapUsed();
    for (let turn = 0; turn < 20_000; turn += 1)
      reporter(limiter, { key: `key ${turn}` }).response(429, { 'retry-after': '1' });
    expect((await heapUsed()) - before).toBeGreaterThan(2 ** 20);
    clock.frame = 1_001;
    for (let turn = 0; turn < 10_000; turn += 1) ask('last');
    expect((await heapUsed()) - before).toBeLessThan(2 ** 20);
  });
});
