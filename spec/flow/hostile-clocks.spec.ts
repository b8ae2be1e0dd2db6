import {
  concat,
  delay,
  from,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  type SchedulerLike,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { pausableClock } from '../../src/flow/pausable-clock.js';
import {
  aggregate,
  coalesce,
  Demand,
  idleTimeout,
  IdleTimeoutError,
  type ResponseEvent,
  type RunEvent,
  runTools,
  smooth,
  StallTimeoutError,
  streamChatCompletions,
  tool,
} from '../../src/index.js';
import { pull } from '../../src/flow/pull.js';
import { heartbeat } from '../../src/relay/heartbeat.js';
import {
  type Cassette,
  recordTransport,
  replayTransport,
  scriptedTransport,
} from '../../src/testing/index.js';
import { completed, provider, text } from '../support/events.js';
import { done, finishChunk, textChunk } from '../support/wire.js';

const hour = 3_600_000;

/** What a clock shows while timers run as they should. */
const clocks: Record<string, () => (time: number) => number> = {
  'goes back at every call': () => {
    let shown = 1_700_000_000_000;
    return () => (shown -= 7);
  },
  'goes back an hour at every call': () => {
    let shown = 1_700_000_000_000;
    return () => (shown -= hour);
  },
  'jumps an hour ahead': () => (time) => hour + time + (time >= 75 ? hour : 0),
  'jumps an hour back': () => (time) => hour + time - (time >= 75 ? hour : 0),
  'jumps to and fro': () => {
    let calls = 0;
    return (time) => hour + time + (++calls % 2) * hour;
  },
  'stands still': () => () => 1_000,
  'tells no time': () => () => NaN,
  'tells no time now and then': () => {
    let calls = 0;
    return (time) => (++calls % 3 === 0 ? NaN : time);
  },
};

/** More than any of these turns needs: a timer that is set again and again ends the spec. */
const mostTimers = 1_000;

function clockOf(name: string) {
  const scheduler = new VirtualTimeScheduler();
  const show = clocks[name]!();
  let timers = 0;
  const schedule: SchedulerLike['schedule'] = (
    ...[work, wait, state]: Parameters<SchedulerLike['schedule']>
  ) => {
    timers += 1;
    if (timers > mostTimers) throw new Error('It loops.');
    if (Number.isNaN(wait)) throw new Error('A timer of NaN.');
    return scheduler.schedule(work, wait, state);
  };
  const hostile: SchedulerLike = { now: () => show(scheduler.frame), schedule };
  return { scheduler, hostile };
}

/** Values at their times, of a clock that is right. */
const at = <T>(scheduler: SchedulerLike, ...values: (readonly [number, T])[]): Observable<T> =>
  merge(...values.map(([time, value]) => timer(time, scheduler).pipe(map(() => value))));

const words = Array.from({ length: 30 }, (_, index) => `word${index} `);
const turnOf = (scheduler: SchedulerLike): Observable<ResponseEvent> =>
  at<ResponseEvent>(scheduler, ...words.map((word, index) => [index * 5, text(word)] as const), [
    150,
    completed(),
  ]);

describe.each(Object.keys(clocks))('with a clock that %s', (name) => {
  it.each([
    ['smooth()', (scheduler: SchedulerLike) => smooth({ scheduler })],
    ['smooth(), slowly', (scheduler: SchedulerLike) => smooth({ scheduler, delay: 30, maxLag: Infinity })],
    ['smooth(), hastily', (scheduler: SchedulerLike) => smooth({ scheduler, delay: 3.3, maxLag: 33.3 })],
    ['coalesce()', (scheduler: SchedulerLike) => coalesce(20, scheduler)],
  ])('%s gives all out once, and ends', (_, operator) => {
    const { scheduler, hostile } = clockOf(name);
    const given: ResponseEvent[] = [];
    const ends: unknown[] = [];
    turnOf(scheduler)
      .pipe(operator(hostile))
      .subscribe({ next: (event) => given.push(event), complete: () => ends.push('complete') });
    scheduler.flush();
    expect(ends).toEqual(['complete']);
    const whole: ResponseEvent[] = [];
    from(given)
      .pipe(aggregate())
      .subscribe((event) => whole.push(event));
    expect(whole).toEqual([text(words.join('')), completed()]);
    // 30 words, 30 ms apart, after the last of them has come.
    expect(scheduler.frame).toBeLessThanOrEqual(150 + 30 * 30);
  });

  it('a heartbeat fills silence, and nothing else', () => {
    const { scheduler, hostile } = clockOf(name);
    const seen: unknown[] = [];
    const spoken = at<string>(
      scheduler,
      ...Array.from({ length: 20 }, (_, index) => [index * 10, 'value'] as const),
    );
    const subscription = concat(spoken, NEVER)
      .pipe(heartbeat<string>(() => 'beat', { heartbeat: 50, scheduler: hostile }))
      .subscribe((value) => seen.push(value));
    scheduler.schedule(() => subscription.unsubscribe(), 190 + 10 * 50);
    scheduler.flush();
    expect(seen.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 'value'));
    // The first one may be late by its time, since a timer was running already.
    expect([9, 10]).toContain(seen.slice(20).filter((value) => value === 'beat').length);
  });

  it('idleTimeout is early by nothing, and late by its time at most', () => {
    const { scheduler, hostile } = clockOf(name);
    const failures: unknown[] = [];
    const spoken = at(scheduler, ...Array.from({ length: 20 }, (_, index) => [index * 10, 'value'] as const));
    concat(spoken, NEVER)
      .pipe(idleTimeout(50, hostile))
      .subscribe({ error: (error: unknown) => failures.push(error) });
    scheduler.flush();
    expect(failures).toEqual([new IdleTimeoutError(50)]);
    expect(scheduler.frame).toBeGreaterThanOrEqual(190 + 50);
    expect(scheduler.frame).toBeLessThanOrEqual(190 + 50 + 50);
  });

  it('a pausable clock is early by nothing, and late by its time at most', () => {
    const { scheduler, hostile } = clockOf(name);
    const clock = pausableClock(hostile);
    let firedAt = NaN;
    clock.schedule(() => (firedAt = scheduler.frame), 100);
    scheduler.schedule(() => clock.pause(), 20);
    scheduler.schedule(() => clock.resume(), 30);
    scheduler.schedule(() => clock.pause(), 80);
    scheduler.schedule(() => clock.resume(), 90);
    scheduler.flush();
    expect(firedAt).toBeGreaterThanOrEqual(100 + 20);
    expect(firedAt).toBeLessThanOrEqual(90 + 100);
  });

  it('an idle limit ends a turn whose consumer was waited for', () => {
    const { scheduler, hostile } = clockOf(name);
    const demand = new Demand();
    const failures: unknown[] = [];
    const body = concat(of(textChunk('a')), NEVER);
    streamChatCompletions('Hi', {
      model: 'm',
      provider,
      demand,
      transport: scriptedTransport({ body }),
      idleTimeout: 100,
      scheduler: hostile,
    }).subscribe({ error: (error: unknown) => failures.push(error) });
    for (const time of [20, 80]) {
      scheduler.schedule(() => {
        const hold = demand.hold();
        scheduler.schedule(() => hold.unsubscribe(), 10);
      }, time);
    }
    scheduler.flush();
    expect(failures).toEqual([new IdleTimeoutError(100)]);
  });

  it("a tool's limit is neither early nor late, and no duration is negative", () => {
    const { scheduler, hostile } = clockOf(name);
    const events: RunEvent[] = [];
    const calls = ['slow', 'quick'].map((tool) => ({
      type: 'output_item_done' as const,
      item: { type: 'function_call' as const, call_id: tool, name: tool, arguments: '{}' },
    }));
    runTools('Hi', {
      turn: () => [...calls, completed()],
      tools: [
        tool({ name: 'slow', execute: () => NEVER }),
        tool({ name: 'quick', execute: () => timer(80, scheduler) }),
      ],
      toolTimeout: 100,
      maxTurns: 1,
      scheduler: hostile,
    }).subscribe((event) => events.push(event));
    scheduler.schedule(() => expect(events.at(-1)).toMatchObject({ callId: 'quick' }), 99);
    scheduler.flush();
    const ends = events.flatMap((event) => (event.type === 'tool_finished' ? [event] : []));
    expect(ends.map(({ callId, error }) => [callId, error?.message])).toEqual([
      ['quick', undefined],
      ['slow', 'A tool took too long.'],
    ]);
    expect(events.at(-1)).toMatchObject({ type: 'run_completed', reason: 'max_turns' });
    expect(scheduler.frame).toBe(100);
    for (const { duration } of ends) expect(duration).toBeGreaterThanOrEqual(0);
    // Once its timer has fired, its time has come.
    expect(ends[1]!.duration).toBeGreaterThanOrEqual(100);
  });

  it('an iterator that is not asked for more is left', async () => {
    const { scheduler, hostile } = clockOf(name);
    const iterator = pull(at(scheduler, [0, 'a'], [10, 'b'], [1_000, 'c']), {
      scheduler: hostile,
      stallTimeout: 100,
    });
    const first = iterator.next();
    scheduler.flush();
    expect(await first).toEqual({ done: false, value: 'a' });
    expect(await iterator.next()).toEqual({ done: false, value: 'b' });
    await expect(iterator.next()).rejects.toEqual(new StallTimeoutError(100));
  });

  it('a recording tells of no time that goes back, and is replayed to its end', () => {
    const { scheduler, hostile } = clockOf(name);
    const cassettes: Cassette[] = [];
    const body = concat(
      ...[textChunk('a'), textChunk('b'), finishChunk(), done].map((chunk) =>
        of(chunk).pipe(delay(50, scheduler)),
      ),
    );
    // What a clock makes of the times may be hours.
    const options = { model: 'm', provider, idleTimeout: Infinity, finishTimeout: Infinity };
    const ask = (transport: ReturnType<typeof recordTransport>) =>
      streamChatCompletions('Hi', { ...options, transport, scheduler: hostile });
    ask(
      recordTransport(scriptedTransport({ body }), (cassette) => cassettes.push(cassette), {
        scheduler: hostile,
      }),
    ).subscribe();
    scheduler.flush();
    const cassette = cassettes.at(-1)!;
    const [{ response, end }] = cassette.exchanges as [Cassette['exchanges'][0]];
    const times = [response!.at, ...response!.body.map((read) => read.at), end.at];
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect(times.every((time) => Number.isSafeInteger(time) && time >= 0)).toBe(true);

    const events: ResponseEvent[] = [];
    const startedAt = scheduler.frame;
    ask(replayTransport(cassette, { timing: 'recorded', scheduler: hostile })).subscribe((event) =>
      events.push(event),
    );
    scheduler.flush();
    expect(events.map(({ type }) => type)).toEqual(['output_item_done', 'output_item_done', 'completed']);
    // It waits for no longer than was recorded, but for the second that a connection is kept after [DONE].
    expect(scheduler.frame - startedAt).toBeLessThanOrEqual(end.at + 1_000);
  });
});
