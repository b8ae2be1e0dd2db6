import {
  BehaviorSubject,
  concat,
  defer,
  filter,
  finalize,
  ignoreElements,
  type Observable,
  of,
  type SchedulerLike,
  Subscription,
  take,
} from 'rxjs';
import { pausableClock } from './pausable-clock.js';

/** A turn's end of a demand. */
export interface TurnDemand {
  /** Asked between two reads of the network: emits when the next one may be made. */
  readonly ask: () => Observable<unknown>;
  /** The turn's time, which stands still while a consumer is waited for. */
  readonly clock: SchedulerLike;
  /** The turn is over: what is read from now on is the connection's end alone, which nobody waits for. */
  end(): void;
}

/**
 * What slows a provider down where a consumer cannot keep up, whatever operators stand between them. It
 * is given to both: to the turn, which reads the network only while nobody holds it, and to the
 * consumer at the end of the pipeline, which holds it while enough waits to be taken. The clock of
 * `idleTimeout` stands still meanwhile.
 *
 * ```
 * hold()    -----^------!---------
 * read      --r----------r---r----
 * ```
 *
 * Make one for each turn. Where several turns or consumers have the same one, none of the turns is read
 * while any of the consumers holds it: the slowest sets the pace of all.
 *
 * @example
 * ```ts
 * const demand = new Demand();
 * const turn = streamChatCompletions('Tell me everything.', { model, provider, demand });
 * return new Response(toReadableStream(turn.pipe(textDeltas()), { demand }));
 * ```
 *
 * An operator that keeps values waiting holds it for as long as it does:
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

  /**
   * Says that enough is waiting.
   *
   * @returns the hold: unsubscribing from it lets go
   */
  hold(): Subscription {
    this.holds.next(this.holds.value + 1);
    return new Subscription(() => this.holds.next(this.holds.value - 1));
  }

  /** One turn's end of it. For `turnDemand()` alone. */
  private forTurn(scheduler: SchedulerLike): TurnDemand {
    const clock = pausableClock(scheduler);
    let isOver = false;
    // Asked of the demand itself, which may be held again by the time that one of several turns is told.
    const isFree = () => isOver || this.holds.value === 0;
    return {
      clock,
      ask: () =>
        defer(() => {
          if (isFree()) return of(undefined);
          clock.pause();
          const free = this.holds.pipe(
            filter(isFree),
            take(1),
            ignoreElements(),
            finalize(() => clock.resume()),
          );
          // The clock runs before the next read is made: that may be over, and the next wait have begun,
          // before this one is told.
          return concat(free, of(undefined));
        }),
      end: () => (isOver = true),
    };
  }
}

/**
 * A turn's end of a demand, for whoever runs the turn. A method, so that a bundle without a `Demand` holds
 * nothing of it; called by its name, so that a `Demand` of the other module format has it too.
 */
export const turnDemand = (demand: Demand, scheduler: SchedulerLike): TurnDemand =>
  demand['forTurn'](scheduler);

/** A consumer's end of a demand: told whether enough waits there. */
export function holder(demand: Demand): (isFull: boolean) => void {
  let hold: Subscription | undefined;
  return (isFull) => {
    if (isFull) hold ??= demand.hold();
    else {
      const held = hold;
      hold = undefined;
      held?.unsubscribe();
    }
  };
}
