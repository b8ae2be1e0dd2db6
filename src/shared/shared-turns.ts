import {
  asyncScheduler,
  catchError,
  concat,
  concatMap,
  connect,
  defer,
  EMPTY,
  endWith,
  exhaustMap,
  from,
  ignoreElements,
  interval,
  lastValueFrom,
  merge,
  type Observable,
  type ObservableInput,
  of,
  repeat,
  type SchedulerLike,
  startWith,
  Subject,
  takeUntil,
  tap,
  throwError,
} from 'rxjs';
import { checkLimit, inBackground, timerOf } from '../flow/timers.js';
import { stoppedEvent } from '../operators/stop-when.js';
import { RemoteTurnError } from '../relay/remote-turn-error.js';
import { emptyRun, reduceRun, type Run } from '../run/run.js';
import { StreamError } from '../turn/errors.js';
import type { RestartingEvent } from '../turn/events.js';
import { restartingNow } from '../turn/restarting-now.js';
import type { RunEvent } from '../turn/run-events.js';
import { comesAfter, type EntryId, readId } from './entry-id.js';
import { AbandonedTurnError, IncompleteLogError } from './errors.js';
import { type Followed, followLog } from './follow-log.js';
import { logNow } from './log-now.js';
import { endsTurn, type Logged, type LogPart } from './log-parts.js';
import {
  here,
  runner,
  type Runner,
  type RunnerOptions,
  stop,
  SupersededError,
  type WhenLeft,
} from './runner.js';
import type { TurnLog } from './turn-log.js';

export interface SharedTurnsOptions {
  /** How long a turn is kept after its last event, in milliseconds. Default 3,600,000: an hour. */
  readonly ttl?: number | undefined;
  /**
   * Milliseconds between heartbeats of a runner, which counts as dead after three missed ones. Default 2,000.
   */
  readonly heartbeat?: number | undefined;
  /**
   * What to do when the last reader has left: finish the turn (default), or stop it, at once or after some
   * milliseconds. To be able to stop it, followers on other instances report to the runner.
   */
  readonly whenLeft?: WhenLeft | undefined;
  /**
   * How long the log may take to decide who runs a turn, in milliseconds, before it runs here for its caller
   * alone. Default 1,000.
   */
  readonly logTimeout?: number | undefined;
  /** How many characters may wait for a slow log; a turn with more is no longer logged. Default 4,194,304. */
  readonly maxWaiting?: number | undefined;
  /** Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** Where to resume reading. */
export interface FollowFrom {
  /** The `id` of the last event received, such as a `Last-Event-ID`. Default: from the start. */
  readonly after?: string | undefined;
}

/** The context of a turn function. */
export interface TurnContext {
  /**
   * Emits once everything that the turn has emitted so far is in the log, or after `logTimeout`. Wait for it
   * before work that must not be done twice.
   */
  readonly written: Observable<unknown>;
}

type Turn = (logged: Run | undefined, context: TurnContext) => ObservableInput<RunEvent>;

/** Turns that every instance can follow, stop and take over. */
export interface SharedTurns {
  /**
   * Runs a turn, or follows it if it was already started with this id. Takes over if its runner dies: then
   * `turn` gets the logged run, so that a run with tools can continue.
   *
   * Unsubscribing does not stop the turn.
   */
  run<E extends RunEvent>(
    id: string,
    turn: (logged: Run | undefined, context: TurnContext) => ObservableInput<E>,
    from?: FollowFrom,
  ): Observable<Logged<E>>;
  /**
   * Follows a turn: first its past events, with deltas of one text joined, then new ones.
   *
   * Errors with an `UnknownTurnError`, an `AbandonedTurnError`, or a `RemoteTurnError` if the turn failed.
   */
  follow<E extends RunEvent = RunEvent>(id: string, from?: FollowFrom): Observable<Logged<E>>;
  /** Stops a turn on whichever instance runs it. Completes when the turn is over. */
  stop(id: string): Observable<never>;
  /** Hands the turns running here over to other instances, and closes the log. */
  close(): Promise<void>;
}

/**
 * `shareReplay` across machines: one turn, followed from any instance and from any point, stopped from anywhere, and
 * taken over when the instance that runs it dies.
 *
 * In a single process that never restarts, use `shareReplay()`. See docs/shared-turns.md.
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
  const runners = new Set<Runner>();
  const closing = new Subject<never>();
  const lapse = 3 * heartbeat;
  let isClosing = false;

  function newRunner(id: string, epoch: number, source: RunnerOptions['source']): Runner {
    const own = runner({
      log,
      id,
      epoch,
      source,
      ttl,
      heartbeat,
      whenLeft,
      logTimeout,
      maxWaiting,
      scheduler,
    });
    runners.add(own);
    const forget = () => runners.delete(own);
    own.written.subscribe({ error: forget, complete: forget });
    return own;
  }

  const isRunHere = (id: string): boolean => [...runners].some((own) => own.id === id);

  /** Runs a new turn, or follows it if another instance has started it. */
  const begun = (id: string, turn: Turn): Observable<Logged> =>
    defer(() => {
      const own = newRunner(id, 1, (written) => turn(undefined, { written }));
      let last = '';
      return merge(
        own.events,
        defer(() => (own.begin(), EMPTY)),
      ).pipe(
        tap((event) => (last = event.id)),
        catchError((error: unknown) => {
          // Another instance runs it: from here on, its events count.
          if (error instanceof SupersededError) return followed(id, last, turn);
          throw error;
        }),
      );
    });

  /** Takes over a turn unless another instance does. Followers read its events in the log. */
  function takeOver(id: string, place: string, turn: Turn | undefined): Observable<never> {
    return logNow(log, id).pipe(
      concatMap((parts) => {
        const { epoch } = placeOf(parts.at(-1)?.id);
        // The instance that takes over has read part of it, so if it is empty now, it was lost.
        if (parts.length === 0) return throwError(() => new IncompleteLogError());
        // A turn that runs here is not dead, whatever the log says.
        if (isOver(parts) || epoch > placeOf(place).epoch || isRunHere(id) || isClosing) return EMPTY;
        if (turn === undefined) return throwError(() => new AbandonedTurnError(runOf(parts)));
        newRunner(id, epoch + 1, (written) => heirOf(id, epoch, (run) => turn(run, { written }))).begin();
        return EMPTY;
      }),
    );
  }

  /** The rest of a turn, once no other instance writes it. */
  const heirOf = (
    id: string,
    epoch: number,
    turn: (logged: Run | undefined) => ObservableInput<RunEvent>,
  ): Observable<RunEvent> =>
    logNow(log, id).pipe(
      concatMap((parts): ObservableInput<RunEvent> => {
        const before = parts.filter((part) => placeOf(part.id).epoch <= epoch);
        const run = runOf(before);
        if (isOver(before) || isAnswered(run)) return EMPTY;
        if (run.steps.length === 0) return turn(undefined);
        if (run.steps.at(-1)?.turn.status !== 'streaming') return turn(run);
        const restart = restarting(epoch);
        return concat(
          of(restart),
          defer(() => turn(reduceRun(run, restart))),
        );
      }),
    );

  /** Follows, and takes over if there is a `turn`. */
  const readers = (id: string, after: string, turn?: Turn): Observable<Logged> =>
    defer(() => {
      let last = readId(after) === undefined ? '' : after;
      // Whether the log is known to have that position.
      let isWritten = last === '';
      let isVoid = false;
      let isOver = false;

      function eventOf({ event, id: place }: LogPart & { type: 'event' }): Observable<Logged> {
        const isTwice = isVoid && event.type === 'restarting';
        isVoid = false;
        return isTwice ? EMPTY : of({ ...event, id: place });
      }

      /** This reader may have events that never reached the log: then they are void. */
      const checked = (before: string, begun: string): Observable<Logged> =>
        logNow(log, id).pipe(
          concatMap((parts) => {
            const written = parts.filter((part) => comesAfter(begun, part.id)).at(-1)?.id ?? '0-0';
            return comesAfter(before, written) ? voided(begun) : EMPTY;
          }),
        );

      function voided(place: string): Observable<Logged> {
        isVoid = true;
        return of({ ...restarting(placeOf(place).epoch), id: place });
      }

      function read(part: Followed): Observable<Logged> {
        const before = last;
        const wasWritten = isWritten;
        last = part.id;
        isWritten = true;
        switch (part.type) {
          case 'begun':
            return wasWritten ? EMPTY : checked(before, last);
          case 'event':
            return eventOf(part);
          case 'error':
            return throwError(() => new RemoteTurnError(part.report));
          case 'end':
            isOver = true;
            return EMPTY;
          case 'unwritten':
            last = '0-0';
            return voided(last);
          case 'left':
            return turn === undefined ? EMPTY : takeOver(id, last, turn);
          case 'lapsed':
            isWritten = wasWritten;
            return takeOver(id, last, turn);
          default:
            return EMPTY;
        }
      }

      // A reader that cannot take over leaves time for those that can.
      const patience = turn === undefined ? 2 * lapse : lapse;
      return defer(() => followLog(log, id, { after: last, lapse: patience, scheduler })).pipe(
        concatMap(read),
        repeat({ delay: () => (isOver ? EMPTY : of(true)) }),
      );
    });

  /** If needed, followers announce themselves to the runner. */
  function followed(id: string, after: string, turn?: Turn): Observable<Logged> {
    const source = readers(id, after, turn);
    if (whenLeft === 'finish') return source;
    const signs = interval(heartbeat, inBackground(scheduler)).pipe(
      startWith(0),
      exhaustMap(() => from(log.tell(id, here)).pipe(catchError(() => EMPTY))),
      ignoreElements(),
    );
    return source.pipe(
      connect((shared) =>
        merge(shared, signs.pipe(takeUntil(shared.pipe(ignoreElements(), endWith(undefined))))),
      ),
    );
  }

  /** Ends with the instance. */
  const whileOpen = <E extends RunEvent>(source: Observable<Logged>): Observable<Logged<E>> =>
    source.pipe(takeUntil(closing)) as Observable<never>;

  return {
    run: <E extends RunEvent>(
      id: string,
      turn: (logged: Run | undefined, context: TurnContext) => ObservableInput<E>,
      { after = '' }: FollowFrom = {},
    ) => whileOpen<E>(readId(after) === undefined ? begun(id, turn) : followed(id, after, turn)),
    follow: <E extends RunEvent>(id: string, { after = '' }: FollowFrom = {}) =>
      whileOpen<E>(followed(id, after)),
    stop: (id) =>
      concat(
        defer(() => log.tell(id, stop)).pipe(ignoreElements()),
        // If no instance runs it any more, end it here.
        readers(id, '', () => of(stoppedEvent)).pipe(
          ignoreElements(),
          // However the turn ended, it is over.
          catchError((error: unknown) =>
            error instanceof RemoteTurnError ? EMPTY : throwError(() => error),
          ),
        ),
      ),
    async close() {
      isClosing = true;
      const left = [...runners].map((own) => own.leave());
      const isWritten = merge(...left).pipe(takeUntil(timerOf(logTimeout, scheduler)));
      await lastValueFrom(isWritten, { defaultValue: undefined });
      // The log has had its time.
      for (const own of runners) own.abort();
      closing.error(
        new StreamError({ message: 'This instance is closing. Follow the turn from another instance.' }),
      );
      await lastValueFrom(
        concat(
          isWritten,
          defer(() => log.close()),
        ),
        { defaultValue: undefined },
      );
    },
  };
}

const isOver = (parts: readonly LogPart[]): boolean => parts.some(endsTurn);

const runOf = (parts: readonly LogPart[]): Run =>
  parts.reduce((run, part) => (part.type === 'event' ? reduceRun(run, part.event) : run), emptyRun);

/** Whether only its end is missing. If the turn called tools and has no end, its run goes on. */
function isAnswered({ reason, steps }: Run): boolean {
  const last = steps.at(-1);
  return reason !== undefined || (last?.turn.status === 'completed' && last.tools.length === 0);
}

const placeOf = (id = ''): EntryId => readId(id) ?? { epoch: 0, seq: 0 };

const restarting = (attempt: number): RestartingEvent =>
  restartingNow(attempt, new StreamError({ message: 'The instance that ran this turn has stopped.' }));
