import {
  asyncScheduler,
  type MonoTypeOperatorFunction,
  Observable,
  type SchedulerLike,
  type Subscription,
} from 'rxjs';
import type { ResponseEvent } from '../turn/events.js';
import { isTurnEvent } from '../turn/is-turn-event.js';
import type { RunEvent } from '../turn/run-events.js';
import { monotonicClock } from '../flow/monotonic-clock.js';
import { observe } from '../flow/observe.js';
import { clampDelay } from '../flow/timers.js';
import { append, type Delta, deltaOf, eventOf, continues } from '../turn/delta.js';
import { segmentEnds, type TextSegmenter } from '../turn/segment-ends.js';

export interface SmoothOptions {
  /**
   * The unit of text to emit:
   * - `'word'` (the default): a word, with the white space before it and the punctuation after it. In scripts
   *   without spaces, such as Chinese and Thai, the platform's dictionary finds the words.
   * - `'grapheme'`: a user-perceived character, including emoji sequences
   * - an `Intl.Segmenter`, or a function that splits a text into pieces
   *
   * Without `Intl.Segmenter`, words are split at white space, each ideograph is a word, and graphemes are code
   * points. A segment longer than 1,000 UTF-16 units is split. Text of more than 524,288 units that arrives at
   * once is emitted in pieces of up to 16,384, each ending with a segment.
   */
  readonly segmenter?: TextSegmenter | undefined;
  /** The language of the text, for `Intl.Segmenter`; default: the platform's. */
  readonly locale?: string | readonly string[] | undefined;
  /** Milliseconds between two segments; default 10. With `0`, whole segments pass as they arrive. */
  readonly delay?: number | undefined;
  /**
   * How far the text may lag behind the source, in milliseconds; default 1,000. Half of it is for the wait for
   * the rest of a segment, half for the pace. `Infinity`: no limit.
   */
  readonly maxLag?: number | undefined;
  /** Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** A text segment, or another event. */
interface Entry<T> {
  readonly delta: Delta | undefined;
  readonly event: T | undefined;
  next: Entry<T> | undefined;
}

/** The last segment so far, which may still grow. */
interface Held {
  readonly delta: Delta;
  /** When its oldest text arrived. */
  at: number;
}

/**
 * How many UTF-16 units are segmented at a time, and the longest segment: V8's segmenter takes quadratic time
 * in the length of a text (53 us a word at 80,000 units, 1.3 us at 1,000), and an endless last segment would be
 * read again with each delta.
 */
const longestSegment = 1_000;

/**
 * Longer text, in UTF-16 units, is not segmented from the start, but cut into pieces whose ends are aligned to
 * a segment.
 */
const longestCut = 524_288;
const longestPiece = 16_384;
const longestEnd = 64;

/**
 * Smooths bursty text, word by word, without falling behind.
 *
 * It emits one segment every `delay` milliseconds. If more text waits than fits into half of `maxLag`, it emits
 * several segments at a time, merged into one event, until it has caught up, so no text is emitted later than
 * `maxLag` after it arrived (as far as timers are on time). The last segment is held until the text after it
 * shows that it is complete, for at most half of `maxLag`.
 *
 * Reasoning and refusals are text too. Any other event follows all earlier text, at once if none is waiting;
 * `completed` is therefore at most half of `maxLag` late. A new segment begins after another event, kind or
 * choice (and with each delta if `includeChunks` is set). On an error all waiting text is emitted at once, then
 * the error. `restarting` drops the waiting text. No timer runs while nothing waits.
 *
 * ```
 * source   --a--------b|           a: 'The quick brown fo'   b: 'x.'
 *          smooth({ delay: 3 })
 * result   --t--q--w---(f|)        t: 'The'   q: ' quick'   w: ' brown'   f: ' fox.'
 * ```
 *
 * @example
 * ```ts
 * turn.pipe(smooth(), textDeltas()).subscribe((text) => process.stdout.write(text));
 * ```
 *
 * An error thrown by a custom segmenter ends the turn. Throws a `RangeError` for an invalid `locale`.
 */
export function smooth<T extends RunEvent = ResponseEvent>(
  options: SmoothOptions = {},
): MonoTypeOperatorFunction<T> {
  const { maxLag = 1_000, scheduler = asyncScheduler } = options;
  const bound = maxLag / 2;
  const delay = Math.min(options.delay ?? 10, bound);
  /** In how many steps all waiting text is to be emitted. */
  const steps = delay > 0 ? Math.floor(bound / delay) : 1;
  const endsOf = segmentEnds(options.segmenter ?? 'word', options.locale);

  return (source) =>
    new Observable((subscriber) => {
      const clock = monotonicClock(scheduler);
      let first: Entry<T> | undefined;
      let last: Entry<T> | undefined;
      let held: Held | undefined;
      /** How many segments wait, and how many are emitted per step. */
      let waiting = 0;
      let share = 1;
      /** When the next step is due. */
      let stepAt = 0;
      let timer: Subscription | undefined;
      let timerAt = Infinity;
      let hasEnded = false;

      function enqueue(delta: Delta | undefined, event?: T): void {
        const entry: Entry<T> = { delta, event, next: undefined };
        if (first === undefined || last === undefined) first = entry;
        else last.next = entry;
        last = entry;
        if (delta === undefined) return;
        // After a silence the first segment is emitted at once, and no step was missed.
        if (waiting === 0) stepAt = Math.max(stepAt, clock.now());
        waiting += 1;
      }

      /** Ends the held segment: something else follows, or nothing. */
      function seal(): void {
        if (held !== undefined && endsInPair(held.delta.text)) cut(held, held.delta.text.length, true);
        if (held !== undefined) enqueue(held.delta);
        held = undefined;
      }

      /** Drops the waiting text of the failed attempt, back to the last boundary. */
      function drop(): void {
        held = undefined;
        last = undefined;
        let segments = 0;
        waiting = 0;
        for (let entry = first; entry !== undefined; entry = entry.next) {
          if (entry.delta !== undefined) segments += 1;
          if (entry.event === undefined || !isBoundary(entry.event)) continue;
          last = entry;
          waiting = segments;
        }
        if (last === undefined) first = undefined;
        else last.next = undefined;
      }

      function push(event: T): void {
        if (event.type === 'restarting') drop();
        const delta = deltaOf(event);
        if (delta === undefined || delta.kind === 'arguments') {
          seal();
          if (first === undefined) subscriber.next(event);
          else enqueue(undefined, event);
          return;
        }
        if (held !== undefined && !continues(held.delta, delta)) seal();
        const before = held?.delta.text.length ?? 0;
        if (held === undefined) held = { delta, at: clock.now() };
        else append(held.delta, delta);
        cut(held, before);
      }

      /** Splits the held text into complete segments and the one that may still grow. */
      function cut(tail: Held, before: number, isLast = false): void {
        const { text } = tail.delta;
        let start = 0;
        for (let isFull = true; isFull;) {
          // With this much text, many segments are emitted at a time anyway: finding each takes time, and
          // keeping them takes memory.
          const isMuch = text.length - start > longestCut;
          const from = isMuch ? start + longestPiece - longestEnd : start;
          const read = text.slice(from, isMuch ? from + longestEnd : from + longestSegment);
          // Half a surrogate pair is not a segment end.
          const known = !isLast && endsInPair(read) ? read.slice(0, -1) : read;
          const ends = isMuch ? endsOf(known).slice(-1) : endsOf(known);
          isFull = isMuch || read.length === longestSegment;
          if (isFull && ends.length === 0) ends.push(read.length - (endsInPair(read) ? 1 : 0));
          for (const end of ends) {
            enqueue(part(tail.delta, start, from + end));
            start = from + end;
          }
        }
        if (start === 0) return;
        held =
          start === text.length
            ? undefined
            : { delta: part(tail.delta, start), at: start < before ? tail.at : clock.now() };
      }

      /** Emits this many segments, and the other events between and after them. */
      function give(count: number): void {
        // A consumer may make the source emit, so the state is consistent at every step.
        while (first !== undefined) {
          const { delta, event } = first;
          if (event !== undefined) {
            first = first.next;
            subscriber.next(event);
            continue;
          }
          if (delta === undefined || count <= 0) return;
          do {
            if (first.delta !== delta && first.delta !== undefined) append(delta, first.delta);
            first = first.next;
            waiting -= 1;
            count -= 1;
          } while (count > 0 && first?.delta !== undefined && continues(delta, first.delta));
          // A delta's event is of the original kind.
          subscriber.next(eventOf(delta) as T);
        }
      }

      /** Emits what is due, and sets the timer for the rest. */
      function advance(): void {
        const now = clock.now();
        if (held !== undefined && now >= held.at + bound) {
          seal();
          stepAt = now + delay;
          give(Infinity);
        } else {
          share = Math.max(share, Math.ceil(waiting / steps));
          // More than one if the timer was late.
          const due =
            waiting === 0 || now < stepAt ? 0 : 1 + (delay > 0 ? Math.floor((now - stepAt) / delay) : 0);
          stepAt += due * delay;
          give(share * due);
        }
        if (waiting === 0) share = 1;
        if (hasEnded && first === undefined) subscriber.complete();
        if (!subscriber.closed) setTimer(now);
      }

      function setTimer(now: number): void {
        const at = Math.min(waiting > 0 ? stepAt : Infinity, held === undefined ? Infinity : held.at + bound);
        // An early timer is set again, which costs less than a new one for each delta.
        if (timerAt <= at && at !== Infinity) return;
        timer?.unsubscribe();
        timerAt = at;
        if (at === Infinity) return;
        timer = clock.schedule(
          () => {
            timerAt = Infinity;
            advance();
          },
          clampDelay(at - now),
        );
      }

      function fail(error: unknown): void {
        seal();
        give(Infinity);
        subscriber.error(error);
      }

      const subscription = observe(source, subscriber, {
        next: (event) => {
          push(event);
          // After a restart a timer may be set although nothing waits.
          if (held !== undefined || first !== undefined || timerAt !== Infinity) advance();
        },
        error: fail,
        complete: () => {
          hasEnded = true;
          seal();
          advance();
        },
      });
      return () => {
        timer?.unsubscribe();
        subscription.unsubscribe();
      };
    });
}

/** A part of a delta's text. The delta's other fields go with the first part. */
function part(delta: Delta, start: number, end?: number): Delta {
  return {
    ...delta,
    text: delta.text.slice(start, end),
    details: start === 0 ? delta.details : [],
    isChanged: true,
  };
}

/** Whether a later restart leaves everything before this event valid. */
const isBoundary = (event: RunEvent): boolean =>
  event.type === 'completed' || event.type === 'restarting' || !isTurnEvent(event);

/** Whether a text ends inside a surrogate pair. */
function endsInPair(text: string): boolean {
  return (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800;
}
