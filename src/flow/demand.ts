import {
  BehaviorSubject,
  concat,
  defer,
  filter,
  finalize,
  ignoreElements,
  type Observable,
  of,
  pairwise,
  type SchedulerLike,
  Subscription,
  takeWhile,
} from 'rxjs';
import { StallTimeoutError } from '../turn/errors.js';
import { eachWithin } from './each-within.js';
import { pausableClock } from './pausable-clock.js';
import { checkLimit, defaultStallTimeout, inBackground } from './timers.js';

/** How long a `Demand` may be held. */
export interface DemandOptions {
  /**
   * How long a turn waits while no hold is released, in milliseconds, before it fails with a
   * `StallTimeoutError`. Default 300,000; `Infinity`: no limit.
   */
  readonly stallTimeout?: number | undefined;
  /** The timer of `stallTimeout`. Default: the turn's scheduler. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** The turn's side of a demand. */
export interface TurnDemand {
  /** Called between two network reads: emits when the next one may start. */
  readonly ask: () => Observable<unknown>;
  /** The turn's clock, paused while the turn waits for a consumer. */
  readonly clock: SchedulerLike;
  /** Called when the turn is over: the rest of the connection is read without asking. */
  end(): void;
}

/**
 * Backpressure between a turn and its consumer, across the operators between them. Pass it to both: the
 * consumer at the end of the pipeline holds the demand while enough values wait, and the turn does not read the
 * network while anyone holds it. `idleTimeout` is paused meanwhile.
 *
 * ```
 * hold()    -----^------!---------
 * read      --r----------r---r----
 * ```
 *
 * A turn that has waited for `stallTimeout` without seeing a hold released fails with a `StallTimeoutError`,
 * which closes its connection, so neither an abandoned consumer nor an operator that never releases its hold
 * keeps it open. A slow consumer is not cut off: it releases a hold with each value that it takes.
 *
 * Create one for each turn. If several turns or consumers share one, no turn is read while any consumer
 * holds it: the slowest sets the pace for all.
 *
 * @example
 * ```ts
 * const demand = new Demand();
 * const turn = streamChatCompletions('Tell me everything.', { model, provider, demand });
 * return new Response(readableStreamFrom(turn.pipe(textDeltas()), { demand }));
 * ```
 *
 * An operator that queues values holds it for as long as they wait:
 *
 * @example
 * ```ts
 * turn.pipe(
 *   map((event) => ({ event, hold: demand.hold() })),
 *   concatMap(({ event, hold }) => store(event).pipe(finalize(() => hold.unsubscribe()))),
 * );
 * ```
 */
export class Demand {
  private readonly holds = new BehaviorSubject(0);
  private readonly stallTimeout: number;
  private readonly scheduler: SchedulerLike | undefined;

  /** @throws TypeError if `stallTimeout` is not a number of at least 1 */
  constructor({ stallTimeout = defaultStallTimeout, scheduler }: DemandOptions = {}) {
    checkLimit('stallTimeout', stallTimeout);
    this.stallTimeout = stallTimeout;
    this.scheduler = scheduler;
  }

  /**
   * Pauses the turns until the hold is released.
   *
   * @returns the hold; unsubscribe to release it
   */
  hold(): Subscription {
    this.holds.next(this.holds.value + 1);
    return new Subscription(() => this.holds.next(this.holds.value - 1));
  }

  /** Called by `turnDemand()` only. */
  private forTurn(scheduler: SchedulerLike): TurnDemand {
    const limit = this.stallTimeout;
    // If nothing else is going on, nobody is left to wait for.
    const timers = inBackground(this.scheduler ?? scheduler);
    const clock = pausableClock(scheduler);
    let isOver = false;
    // Reads the current value: by the time the second of two turns is notified, the demand may be held again.
    const isFree = () => isOver || this.holds.value === 0;
    return {
      clock,
      ask: () =>
        defer(() => {
          if (isFree()) return of(undefined);
          clock.pause();
          const free = this.holds.pipe(
            // A consumer that releases a hold is alive, however slow: the wait starts again.
            pairwise(),
            filter(([before, count]) => count < before),
            eachWithin(limit, () => new StallTimeoutError(limit), timers),
            takeWhile(() => !isFree()),
            ignoreElements(),
            finalize(() => clock.resume()),
          );
          // The clock resumes before the next read starts: a synchronous read may end, and the next wait
          // begin, inside this notification.
          return concat(free, of(undefined));
        }),
      end: () => (isOver = true),
    };
  }
}

/**
 * The turn's side of a demand. It is a private method there, so that a bundle without `Demand` contains
 * none of it, and a `Demand` from the other module format (ESM, CommonJS) works too.
 */
export const turnDemand = (demand: Demand, scheduler: SchedulerLike): TurnDemand =>
  demand['forTurn'](scheduler);

/** The consumer's side of a demand: call it with whether its queue is full, and whether a value was taken from it. */
export function holder(demand: Demand): (isFull: boolean, isTaken?: boolean) => void {
  let hold: Subscription | undefined;
  return (isFull, isTaken = false) => {
    const held = hold;
    if (isFull && held !== undefined && !isTaken) return;
    // Take the new hold before releasing the old one: no turn may read in between.
    hold = isFull ? demand.hold() : undefined;
    held?.unsubscribe();
  };
}
