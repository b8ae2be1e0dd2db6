import {
  asyncScheduler,
  catchError,
  defer,
  from,
  type MonoTypeOperatorFunction,
  type Observable,
  type ObservableInput,
  type SchedulerLike,
  startWith,
} from 'rxjs';
import { allFailed, InvalidProviderError, UnexpectedStatusError } from '../turn/errors.js';
import type { ResponseEvent } from '../turn/events.js';
import { isContextLength } from '../turn/provider-error.js';
import { restartingNow } from '../turn/restarting-now.js';
import { type Given, holdChunks } from './hold-chunks.js';

/** A turn to fall back on, or a function that returns one, given the error and the fallback's index. */
export type Fallback =
  ObservableInput<ResponseEvent> | ((error: unknown, index: number) => ObservableInput<ResponseEvent>);

export interface FallbackOptions {
  /** The turns to fall back on, in order. */
  readonly others: readonly Fallback[];
  /**
   * Which errors to fall back from. Default: all except `TypeError`, `InvalidProviderError`, and status 400
   * unless it is about the context length. An error that it throws ends the turn.
   */
  readonly when?: ((error: unknown) => boolean) | undefined;
  /**
   * What to do if content has already arrived: pass the error, or discard the content with `restarting` and
   * begin the next turn. Default `'fail'`.
   */
  readonly afterContent?: 'fail' | 'restart' | undefined;
  /**
   * How long a failed source is skipped by later turns through this operator, in milliseconds. It is still used
   * if all others have failed. Default 0: every turn tries all sources in order.
   */
  readonly cooldown?: number | undefined;
  /** The clock for `cooldown`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Switches to another turn if one fails before any content has arrived: another provider, model or key.
 *
 * The events of the other turn follow as if it were the first. A turn that has emitted content is not replaced,
 * unless `afterContent` is `'restart'`: then `restarting` discards the content. `retrying` events pass at once;
 * the raw `chunk` events of `includeChunks` wait for content, so that chunks of two providers never mix.
 *
 * With `maxRetries: 0` it falls back at once instead of retrying first. If all turns fail, it emits the last
 * error, with an `AggregateError` of all errors at the end of its `cause` chain, and every attempt in
 * `attempts`.
 *
 * ```
 * source   ----#
 * b        ----Hel--lo--(completed|)
 *          fallbackWith(b)
 * result   --------Hel--lo--(completed|)
 * ```
 *
 * @example
 * ```ts
 * streamChatCompletions(prompt, { model: 'gpt-4o-mini', provider: openai, retry: { maxRetries: 0 } })
 *   .pipe(fallbackWith(streamChatCompletions(prompt, { model: 'mistral-small-latest', provider: mistral })))
 *   .subscribe(render);
 * ```
 *
 * @param others - the turns to fall back on, in order; or one object with `others` and options
 */
export function fallbackWith(...others: readonly Fallback[]): MonoTypeOperatorFunction<ResponseEvent>;
export function fallbackWith(options: FallbackOptions): MonoTypeOperatorFunction<ResponseEvent>;
export function fallbackWith(
  ...given: readonly Fallback[] | readonly [FallbackOptions]
): MonoTypeOperatorFunction<ResponseEvent> {
  const options = optionsOf(given);
  const { others, when = isWorthAnother, afterContent = 'fail', cooldown = 0 } = options;
  const { scheduler = asyncScheduler } = options;
  /** The sources to skip, by index (0 is the first turn), with their errors and until when. */
  const failed = new Map<number, { readonly error: unknown; readonly until: number }>();

  const isPassedOver = (place: number): boolean => (failed.get(place)?.until ?? 0) > scheduler.now();

  function turnAt(
    source: Observable<ResponseEvent>,
    place: number,
    error: unknown,
  ): Observable<ResponseEvent> {
    const other = others[place - 1];
    if (place === 0 || other === undefined) return source;
    return defer(() => from(typeof other === 'function' ? other(error, place - 1) : other));
  }

  return (source) =>
    defer(() => {
      const failures: unknown[] = [];
      /** The indices still to try, in order; skipped ones only if there are no others. */
      const places = Array.from({ length: others.length + 1 }, (_, place) => place);

      function nextPlace(): number | undefined {
        const at = places.findIndex((place) => !isPassedOver(place));
        return places.splice(Math.max(at, 0), 1)[0];
      }

      function attempt(place: number, before: unknown): Observable<ResponseEvent> {
        let given: Given = 'nothing';
        return turnAt(source, place, before).pipe(
          holdChunks((state) => {
            given = state;
            if (state === 'all') failed.delete(place);
          }),
          catchError((error: unknown) => {
            const isFailed = given !== 'all' && when(error);
            if (isFailed && cooldown > 0) failed.set(place, { error, until: scheduler.now() + cooldown });
            const isReplaceable = given === 'nothing' || afterContent === 'restart';
            const next = isFailed && isReplaceable ? nextPlace() : undefined;
            if (next === undefined) throw allFailed(error, failures);
            failures.push(error);
            const other = attempt(next, error);
            return given === 'part' ? other.pipe(startWith(restartingNow(failures.length, error))) : other;
          }),
        );
      }

      const first = nextPlace() ?? 0;
      return attempt(first, failed.get(first - 1)?.error);
    });
}

function optionsOf(given: readonly Fallback[] | readonly [FallbackOptions]): FallbackOptions {
  const [first] = given;
  return typeof first === 'object' && 'others' in first ? first : { others: given as readonly Fallback[] };
}

/** Whether another provider may succeed: the error is not the caller's mistake. */
function isWorthAnother(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof InvalidProviderError) return false;
  if (!(error instanceof UnexpectedStatusError) || error.status !== 400) return true;
  return isContextLength(`${error.code ?? ''} ${error.body}`);
}
