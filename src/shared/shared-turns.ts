import {
  asyncScheduler,
  catchError,
  concat,
  concatMap,
  defaultIfEmpty,
  defer,
  EMPTY,
  exhaustMap,
  forkJoin,
  from,
  ignoreElements,
  interval,
  lastValueFrom,
  map,
  merge,
  type Observable,
  type ObservableInput,
  of,
  type SchedulerLike,
  startWith,
  take,
  takeUntil,
  tap,
  throwError,
  timeout,
} from 'rxjs';
import { share } from 'rxjs';
import { checkLimit, inBackground } from '../flow/timers.js';
import { stoppedEvent } from '../operators/stop-when.js';
import { RemoteTurnError } from '../relay/remote-turn-error.js';
import { emptyRun, reduceRun, type Run } from '../run/run.js';
import { StreamError } from '../turn/errors.js';
import type { RestartingEvent } from '../turn/events.js';
import type { RunEvent } from '../turn/run-events.js';
import { idText, readId } from './entry-id.js';
import { AbandonedTurnError, UnknownTurnError } from './errors.js';
import { followLog, logNow } from './follow-log.js';
import { begun, eventPart, type Logged, type LogPart } from './log-parts.js';
import { here, runner, type Runner, stop, SupersededError, type WhenLeft } from './runner.js';
import type { TurnLog } from './turn-log.js';

export interface SharedTurnsOptions {
  /** Milliseconds for which a turn is kept after its last word. Default 3,600,000: an hour. */
  readonly ttl?: number | undefined;
  /** Milliseconds between signs of life of a runner. After three without any it is taken for dead. Default 2,000. */
  readonly heartbeat?: number | undefined;
  /**
   * What happens when the last reader has gone: the turn is finished (default), or stopped, at once or after so many
   * milliseconds. With the last two, followers on other instances tell the runner of themselves.
   */
  readonly whenLeft?: WhenLeft | undefined;
  /** Milliseconds that the log may take to say who runs a turn. Then it runs here, for its caller alone. Default 1,000. */
  readonly logTimeout?: number | undefined;
  /** How many characters may wait for a slow log. A turn with more is no longer written down. Default 4,194,304. */
  readonly maxWaiting?: number | undefined;
  /** Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** Where a reader has stopped. */
export interface FollowFrom {
  /** The `id` of the last event that it has, such as a `Last-Event-ID`. Default: from the start. */
  readonly after?: string | undefined;
}

/** Turns that any instance can follow, stop and take over. */
export interface SharedTurns {
  /**
   * Runs a turn; or follows it, where another has begun it under this id. Takes over where its runner dies: then `turn` is
   * given what was logged, so that a run of tools can go on.
   *
   * Unsubscribing leaves the turn. It does not stop it.
   */
  run<E extends RunEvent>(
    id: string,
    turn: (logged: Run | undefined) => ObservableInput<E>,
    from?: FollowFrom,
  ): Observable<Logged<E>>;
  /**
   * Follows a turn: what there is, pieces of one text joined, then what comes.
   *
   * Errors with an `UnknownTurnError`, an `AbandonedTurnError`, or a `RemoteTurnError` where the turn failed.
   */
  follow<E extends RunEvent = RunEvent>(id: string, from?: FollowFrom): Observable<Logged<E>>;
  /** Stops a turn, wherever it runs. Completes when it is over. */
  stop(id: string): Observable<never>;
  /** Leaves the turns that run here to others, and closes the log. */
  close(): Promise<void>;
}

/**
 * `shareReplay` across machines: one turn, followed from any instance and from any point, stopped from anywhere, and
 * taken over when the instance that runs it dies.
 *
 * In a single process that never restarts, `shareReplay()` does. See docs/shared-turns.md.
 *
 * ```
 * instance 1   run   --Hel--lo--✝
 * instance 2   run     (Hel)lo-------r--Hello--(completed|)     r: restarting
 * instance 3   follow         (Hello)r--Hello--(completed|)
 * ```
 *
 * @example
 * ```ts
 * const turns = sharedTurns(memoryLog());
 * turns.run(id, () => streamChatCompletions(question, options)).pipe(toServerSentEvents(), encodeEventStream());
 * ```
 */
export function sharedTurns(log: TurnLog, options: SharedTurnsOptions = {}): SharedTurns {
  const { ttl = 3_600_000, heartbeat = 2_000, whenLeft = 'finish', logTimeout = 1_000 } = options;
  const { maxWaiting = 4_194_304, scheduler = asyncScheduler } = options;
  for (const [name, value] of Object.entries({ ttl, heartbeat, logTimeout, maxWaiting }))
    checkLimit(name, value);
  const runners = new Map<string, Runner>();
  const lapse = 3 * heartbeat;

  type Turn = (logged: Run | undefined) => ObservableInput<RunEvent>;

  /** Runs a turn here whose epoch was claimed. */
  function start(id: string, epoch: number, source: () => ObservableInput<RunEvent>): Observable<Logged> {
    const own = runner({
      log,
      id,
      epoch,
      source: defer(source),
      ttl,
      heartbeat,
      whenLeft,
      maxWaiting,
      scheduler,
    });
    runners.set(id, own);
    const forget = () => runners.get(id) === own && runners.delete(id);
    own.written.subscribe({ error: forget, complete: forget });
    let last = idText({ epoch, seq: 0 });
    return own.events.pipe(
      tap(({ id: place }) => (last = place)),
      // Another instance runs it now: from here on, its words count.
      catchError((error: unknown) => {
        if (error instanceof SupersededError) return readers(id, last);
        throw error;
      }),
    );
  }

  const claim = (id: string, epoch: number, data: string): Observable<boolean> =>
    from(log.claim(id, { id: idText({ epoch, seq: 0 }), data }, ttl)).pipe(take(1), defaultIfEmpty(false));

  /** Follows, and takes over where `turn` says how. */
  function readers(id: string, after: string, turn?: Turn): Observable<Logged> {
    let last = after;
    return followLog(log, id, { after, lapse: turn === undefined ? 2 * lapse : lapse, scheduler }).pipe(
      concatMap((part): Observable<Logged> => {
        last = part.id;
        switch (part.type) {
          case 'event':
            return of({ ...part.event, id: part.id });
          case 'error':
            return throwError(() => new RemoteTurnError(part.report));
          case 'left':
            return turn === undefined ? EMPTY : takeOver(id, last, turn);
          case 'lapsed':
            return takeOver(id, last, turn);
          default:
            return EMPTY;
        }
      }),
    );
  }

  /** The runner is dead. Without a way to go on, what there was is all there is. */
  function takeOver(id: string, after: string, turn: Turn | undefined): Observable<Logged> {
    return logNow(log, id).pipe(
      concatMap((parts): Observable<Logged> => {
        const epoch = readId(parts.at(-1)?.id ?? '')?.epoch ?? 0;
        const isTaken = epoch > (readId(after)?.epoch ?? 0);
        if (isOver(parts) || isTaken) return readers(id, after, turn);
        const run = runOf(parts);
        if (turn === undefined) return throwError(() => new AbandonedTurnError(run));
        const first = isOpen(run) ? restarting(epoch) : undefined;
        return claim(id, epoch + 1, first === undefined ? begun : eventPart(first)).pipe(
          // A log that cannot be reached is waited for.
          catchError(() => of(false)),
          concatMap((isClaimed) => {
            if (!isClaimed) return readers(id, after, turn);
            const told: Observable<Logged> =
              first === undefined ? EMPTY : of({ ...first, id: idText({ epoch: epoch + 1, seq: 0 }) });
            return concat(
              told,
              start(id, epoch + 1, () => turn(run)),
            );
          }),
        );
      }),
    );
  }

  /** Followers elsewhere tell the runner that they are there, where it wants to know. */
  function withPresence<T>(id: string, source: Observable<T>): Observable<T> {
    if (whenLeft === 'finish') return source;
    const signs = interval(heartbeat, inBackground(scheduler)).pipe(
      startWith(0),
      exhaustMap(() => from(log.tell(id, here)).pipe(catchError(() => EMPTY))),
      ignoreElements(),
    );
    return defer(() => {
      const shared = source.pipe(share());
      return merge(shared, signs.pipe(takeUntil(shared.pipe(ignoreElements(), defaultIfEmpty(0)))));
    });
  }

  const followed = (id: string, after: string, turn?: Turn): Observable<Logged> =>
    withPresence(id, readers(id, after, turn));

  return {
    run<E extends RunEvent>(
      id: string,
      turn: (logged: Run | undefined) => ObservableInput<E>,
      place: FollowFrom = {},
    ) {
      const { after = '' } = place;
      return defer(() => {
        if (after !== '') return followed(id, after, turn);
        return claim(id, 1, begun).pipe(
          timeout({ first: logTimeout, scheduler }),
          map((isClaimed) => (isClaimed ? 'here' : 'elsewhere')),
          catchError(() => of('alone')),
          concatMap((where) => {
            if (where === 'elsewhere') return followed(id, '', turn);
            if (where === 'here') return start(id, 1, () => turn(undefined));
            let seq = 0;
            return from(turn(undefined)).pipe(
              map((event) => ({ ...event, id: idText({ epoch: 0, seq: (seq += 1) }) })),
            );
          }),
        );
      }) as Observable<never>;
    },
    follow(id: string, { after = '' }: FollowFrom = {}) {
      return followed(id, after) as Observable<never>;
    },
    stop: (id) =>
      concat(
        from(log.tell(id, stop)).pipe(ignoreElements()),
        readers(id, '', () => of(stoppedEvent)).pipe(
          ignoreElements(),
          // However the turn ended, it is over.
          catchError((error: unknown) =>
            error instanceof UnknownTurnError ? throwError(() => error) : EMPTY,
          ),
        ),
      ),
    async close() {
      const leaving = [...runners.values()].map((own) => own.leave().pipe(defaultIfEmpty(undefined)));
      await lastValueFrom(
        forkJoin(leaving).pipe(
          timeout({ first: logTimeout, scheduler }),
          catchError(() => EMPTY),
        ),
        {
          defaultValue: [],
        },
      );
      await lastValueFrom(from(log.close()), { defaultValue: undefined });
    },
  };
}

const isOver = (parts: readonly LogPart[]): boolean =>
  parts.some(({ type }) => type === 'end' || type === 'error');

const runOf = (parts: readonly LogPart[]): Run =>
  parts.reduce((run, part) => (part.type === 'event' ? reduceRun(run, part.event) : run), emptyRun);

/** Whether a turn was in the middle of its answer: that is void. */
function isOpen({ steps }: Run): boolean {
  const turn = steps.at(-1)?.turn;
  return turn !== undefined && turn.status !== 'completed' && turn.status !== 'stopped';
}

const restarting = (attempt: number): RestartingEvent => ({
  type: 'restarting',
  attempt,
  delay: 0,
  error: new StreamError({ message: 'The instance that ran this turn has gone.' }),
});
