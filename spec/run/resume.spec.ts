import { delay, from, NEVER, type Observable, timer, toArray } from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import {
  emptyRun,
  type Prompt,
  reduceRun,
  type Run,
  runTools,
  type RunToolsOptions,
  tool,
  type Tool,
} from '../../src/index.js';
import { type Logged, memoryLog, sharedTurns, type TurnLog } from '../../src/shared/index.js';
import { turnOf, toolCallEvents } from '../../src/testing/index.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { testScheduler } from '../support/marbles.js';

const usage = { usage: { inputTokens: 10, outputTokens: 1 } };
const turns = [
  turnOf('Let me ', 'see.', toolCallEvents([{ name: 'pay' }, { name: 'look' }]), usage),
  turnOf('It is ', 'done.', usage),
];

/** A run of two turns with two tools between them, and what was asked and executed. */
function journey(scheduler?: TestScheduler) {
  const executed: string[] = [];
  const prompts: Prompt[] = [];
  const named = (name: string, idempotent: boolean): Tool =>
    tool({
      name,
      idempotent,
      execute: () => {
        executed.push(name);
        return timer(5, scheduler);
      },
    });
  const options: RunToolsOptions = {
    turn: (prompt, step) => {
      prompts.push(prompt);
      return from(turns[step - 1] ?? []);
    },
    tools: [named('pay', false), named('look', true)],
    ...(scheduler !== undefined && { scheduler }),
  };
  return { executed, prompts, options };
}

const runOf = (events: readonly RunEvent[]): Run => events.reduce(reduceRun, emptyRun);

function eventsOf(source: Observable<RunEvent>): readonly RunEvent[] {
  let events: readonly RunEvent[] = [];
  source.pipe(toArray()).subscribe((all) => (events = all));
  return events;
}

function inVirtualTime<T>(body: (scheduler: TestScheduler) => T): T {
  const scheduler = testScheduler();
  const result = body(scheduler);
  scheduler.flush();
  return result;
}

describe('runTools({ resume })', () => {
  const whole: RunEvent[] = [];
  inVirtualTime((scheduler) => {
    runTools('Pay', journey(scheduler).options).subscribe((event) => whole.push(event));
  });

  it.each(whole.map((event, cut) => [cut, event.type] as const))(
    'goes on after %d events, before %s, as one run',
    (cut) => {
      const before = whole.slice(0, cut);
      const after: RunEvent[] = [];
      let { executed, prompts } = journey();
      inVirtualTime((scheduler) => {
        const again = journey(scheduler);
        ({ executed, prompts } = again);
        runTools('Pay', { ...again.options, resume: runOf(before) }).subscribe((event) => after.push(event));
      });
      const run = runOf([...before, ...after]);
      const last = after.at(-1);
      expect(last).toMatchObject({ type: 'run_completed', reason: 'answered', turns: 2 });
      expect(run).toMatchObject({ status: 'completed', reason: 'answered', usage: { totalTokens: 22 } });
      expect(run.steps.map(({ turn }) => turn.text)).toEqual(['Let me see.', 'It is done.']);
      // It covers the whole run, outputs in the order of the calls.
      expect(last?.type === 'run_completed' && last.items.map(({ type }) => type)).toEqual([
        'message',
        'function_call',
        'function_call',
        'function_call_output',
        'function_call_output',
        'message',
      ]);
      const wasStarted = (name: string) =>
        before.some((event) => event.type === 'tool_started' && event.call.name === name);
      const isFinished = (name: string) =>
        runOf(before).steps[0]?.tools.some(
          ({ call, output }) => call?.name === name && output !== undefined,
        ) === true;
      expect(executed.filter((name) => name === 'pay').length).toBe(wasStarted('pay') ? 0 : 1);
      expect(executed.filter((name) => name === 'look').length).toBe(isFinished('look') ? 0 : 1);
      if (wasStarted('pay') && !isFinished('pay'))
        expect(run.steps[0]?.tools[0]).toMatchObject({
          status: 'failed',
          error: { code: 'outcome_unknown' },
        });
      // The end alone needs nothing to be asked.
      for (const { input } of prompts.slice(-1))
        expect(input.filter((item) => item.type === 'function_call_output')).toHaveLength(2);
      expect(prompts.length).toBeLessThanOrEqual(2);
    },
  );

  it('has nothing to add to a run that is over', () => {
    expect(eventsOf(runTools('Pay', { ...journey().options, resume: runOf(whole) }))).toEqual([]);
  });
});

describe('a run over two instances', () => {
  it('is gone on with by the one that lives, and is one run for those who follow', () => {
    const scheduler = testScheduler();
    const log = memoryLog({ scheduler });
    let isDead = false;
    const dying: TurnLog = {
      ...log,
      append: (...given) => (isDead ? NEVER : log.append(...given)),
      read: (...given) => (isDead ? NEVER : log.read(...given)),
    };
    const first = journey(scheduler);
    const second = journey(scheduler);
    const over =
      ({ options }: typeof first) =>
      (logged: Run | undefined, { written }: { written: Observable<unknown> }) =>
        runTools('Pay', { ...options, resume: logged, beforeTool: () => written });
    const followed: Logged[] = [];
    sharedTurns(dying, { scheduler }).run('x', over(first)).subscribe();
    sharedTurns(log, { scheduler })
      .run('x', over(second))
      .subscribe((event) => followed.push(event));
    timer(3, scheduler).subscribe(() => (isDead = true));
    scheduler.maxFrames = 60_000;
    scheduler.flush();
    expect(first.executed).toEqual(['pay', 'look']);
    expect(second.executed).toEqual(['look']);
    const run = runOf(followed);
    expect(run).toMatchObject({ status: 'completed', reason: 'answered' });
    expect(run.steps[0]?.tools).toMatchObject([
      { status: 'failed', error: { code: 'outcome_unknown' } },
      { status: 'finished' },
    ]);
    expect(second.prompts).toHaveLength(1);
  });

  it('starts no tool before the log knows', () => {
    const scheduler = testScheduler();
    const log = memoryLog({ scheduler });
    const slow: TurnLog = {
      ...log,
      append: (...given) => from(log.append(...given)).pipe(delay(50, scheduler)),
    };
    const { executed, options } = journey(scheduler);
    sharedTurns(slow, { scheduler })
      .run('x', (logged, { written }) =>
        runTools('Pay', { ...options, resume: logged, beforeTool: () => written }),
      )
      .subscribe();
    const counts: number[] = [];
    for (const frame of [49, 120]) timer(frame, scheduler).subscribe(() => counts.push(executed.length));
    scheduler.maxFrames = 10_000;
    scheduler.flush();
    expect(counts).toEqual([0, 2]);
  });
});
