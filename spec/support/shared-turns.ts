import { concatMap, EMPTY, NEVER, Observable, type SchedulerLike, type Subscription, timer } from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import {
  memoryLog,
  type SharedTurns,
  sharedTurns,
  type SharedTurnsOptions,
  type TurnLog,
} from '../../src/shared/index.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { completed, text } from './events.js';
import { testScheduler } from './marbles.js';

export const end = completed({ finishReason: 'stop' });
export const events = { a: text('a'), b: text('b'), c: text('c'), d: text('d'), E: end };
export type Cold = (
  marbles: string,
  values: Record<string, ResponseEvent>,
  error?: unknown,
) => Observable<ResponseEvent>;

/** An event as its text, or in a letter: the end, a stopped end, a restart. */
export const word = (event: RunEvent): string => {
  if (event.type === 'completed') return event.stopped === true ? 'S' : 'E';
  if (event.type === 'restarting') return 'R';
  if (event.type === 'output_item_done' && event.item.type === 'message')
    return event.item.content.map((part) => ('text' in part ? part.text : '')).join('');
  return event.type;
};

/** What a reader gets, in words, and how it ends. */
export function reading(source: Observable<RunEvent>) {
  const told: string[] = [];
  const errors: unknown[] = [];
  const subscription = source.subscribe({
    next: (event) => told.push(word(event)),
    error: (error: unknown) => {
      errors.push(error);
      told.push('#');
    },
    complete: () => told.push('|'),
  });
  return { told, errors, subscription };
}

/** A log as one instance sees it, and its end: from then on no word of the instance gets anywhere. */
export function seenBy(log: TurnLog) {
  let isDead = false;
  const unlessDead = <T extends object>(call: () => T): T => (isDead ? (NEVER as never) : call());
  const view: TurnLog = {
    claim: (...given) => unlessDead(() => log.claim(...given)),
    append: (...given) => unlessDead(() => log.append(...given)),
    read: (...given) => unlessDead(() => log.read(...given)),
    tell: (...given) => unlessDead(() => log.tell(...given)),
    told: (...given) => unlessDead(() => log.told(...given)),
    close: () => EMPTY,
  };
  return { view, die: () => (isDead = true) };
}

/** That of the spec while it runs; `undefined` for RxJS's own. */
let scheduler: TestScheduler | undefined;
export const shared = (log: TurnLog, options: SharedTurnsOptions = {}): SharedTurns =>
  sharedTurns(log, { scheduler, ...options });
export const memory = (): TurnLog => memoryLog({ scheduler });

/** A log that takes a while to do what it is asked. */
export const slowed = (log: TurnLog, milliseconds: () => number): TurnLog => ({
  ...log,
  claim: (...given) => after(milliseconds()).pipe(concatMap(() => log.claim(...given))),
  append: (...given) => after(milliseconds()).pipe(concatMap(() => log.append(...given))),
});

export const now = (): number => scheduler?.now() ?? 0;
export const after = (milliseconds: number): Observable<unknown> => timer(milliseconds, scheduler);
export const at = (milliseconds: number, act: () => void): Subscription => after(milliseconds).subscribe(act);

/** The scheduler of the spec, with a clock that is wrong by so much. */
export const skewed = (by: () => number): SchedulerLike => ({
  now: () => now() + by(),
  schedule: (...given: Parameters<SchedulerLike['schedule']>) => {
    if (scheduler === undefined) throw new Error('Virtual time alone can be wrong.');
    return scheduler.schedule(...given);
  },
});

/** A turn that counts how often it is asked, and is subscribed to. */
export function counted(source: Observable<ResponseEvent>) {
  const counts = { asked: 0, open: 0 };
  const turn = () =>
    new Observable<ResponseEvent>((subscriber) => {
      counts.asked += 1;
      counts.open += 1;
      const subscription = source.subscribe(subscriber);
      return () => {
        counts.open -= 1;
        subscription.unsubscribe();
      };
    });
  return { counts, turn };
}

/**
 * Five minutes of virtual time: who waits for ever does not hold the spec up. The scheduler is given, not put in place of
 * `asyncScheduler`: timers that are cleared in the frame in which they are due upset the latter (ReactiveX/rxjs).
 */
export function virtually(body: (cold: Cold) => void): void {
  marbles(({ cold }) => {
    if (scheduler !== undefined) scheduler.maxFrames = 300_000;
    body((marbles, values, error) => cold(marbles, values, error));
  });
}

/** The same with marbles to compare. */
export function marbles(body: (helpers: RunHelpers) => void): void {
  const virtual = testScheduler();
  scheduler = virtual;
  try {
    virtual.run(body);
  } finally {
    scheduler = undefined;
  }
}

type RunHelpers = Parameters<Parameters<TestScheduler['run']>[0]>[0];
