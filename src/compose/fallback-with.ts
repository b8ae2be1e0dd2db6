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

/** Another turn to fall back on, or a function that makes it, of what failed and its place among the others, from 0. */
export type Fallback =
  ObservableInput<ResponseEvent> | ((error: unknown, index: number) => ObservableInput<ResponseEvent>);

export interface FallbackOptions {
  /** The turns to fall back on, in order. */
  readonly others: readonly Fallback[];
  /**
   * Which errors to fall back from. Default: all but `TypeError`s, `InvalidProviderError`s, and a status 400 that is
   * not about the context length. An error of it ends the turn.
   */
  readonly when?: ((error: unknown) => boolean) | undefined;
  /**
   * What happens after content has arrived: the error passes, or `restarting` discards it and the next turn begins.
   * Default `'fail'`.
   */
  readonly afterContent?: 'fail' | 'restart' | undefined;
  /**
   * How long later turns through this operator skip a source that failed, in milliseconds. A skipped one is asked only
   * if all others have failed. Default 0: every turn asks all, in order.
   */
  readonly cooldown?: number | undefined;
  /** The clock for `cooldown`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Switches to another turn if one fails before any content has arrived: another provider, model or key.
 *
 * The events of the other turn follow as if it had been the first. A turn that has emitted content is not replaced,
 * unless `afterContent` is `'restart'`: then `restarting` discards what has arrived. `retrying` events pass at once; the
 * raw `chunk` events of `includeChunks` wait for content, so that those of two providers never mix.
 *
 * With `maxRetries: 0` the turn falls back at once instead of retrying first. If all fail, the result is the last error,
 * with an `AggregateError` of all errors at the end of its `cause` chain, and every attempt in `attempts`.
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
  /** What those failed with that are passed over, and until when, by their place; the source's is 0. */
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
      /** The places that are still to be asked, in order: those that are passed over, where there are no others. */
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

/** What another provider may do better: not a mistake of the caller's. */
function isWorthAnother(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof InvalidProviderError) return false;
  if (!(error instanceof UnexpectedStatusError) || error.status !== 400) return true;
  return isContextLength(`${error.code ?? ''} ${error.body}`);
}
