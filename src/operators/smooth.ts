import {
  asyncScheduler,
  type MonoTypeOperatorFunction,
  Observable,
  type SchedulerLike,
  type Subscription,
} from 'rxjs';
import type { ResponseEvent } from '../turn/events.js';
import { isResponseEvent } from '../turn/is-response-event.js';
import type { RunEvent } from '../turn/run-events.js';
import { monotonicClock } from '../flow/monotonic-clock.js';
import { observe } from '../flow/observe.js';
import { clampDelay } from '../flow/timers.js';
import { append, type Delta, deltaOf, eventOf, continues } from '../turn/delta.js';
import { segmentEnds, type TextSegmenter } from '../turn/segment-ends.js';

export interface SmoothOptions {
  /**
   * What is given out at a time:
   * - `'word'` (the default): a word, with the white space before it and the punctuation after it. In
   *   scripts without spaces, such as Chinese and Thai, words are told by the platform's dictionary.
   * - `'grapheme'`: what a reader takes for one character, a family of emoji included
   * - an `Intl.Segmenter`, or a function that cuts a text into pieces
   *
   * Where the platform has no `Intl.Segmenter`, words are told by white space, each ideograph is a word,
   * and graphemes are code points. A segment of more than 1,000 UTF-16 units is cut there. Of
   * more than 524,288 that come at once, pieces of up to 16,384 are given, each to the end of a segment.
   */
  readonly segmenter?: TextSegmenter | undefined;
  /** The language of the text, for the `Intl.Segmenter` made here; default: the platform's. */
  readonly locale?: string | readonly string[] | undefined;
  /** Milliseconds between two segments; default 10. With `0`, whole segments pass as they come. */
  readonly delay?: number | undefined;
  /**
   * How far behind the source the text may be, in milliseconds; default 1,000. One half is for the wait
   * for the rest of a segment, the other for the pace. `Infinity`: as far as it takes.
   */
  readonly maxLag?: number | undefined;
  /** Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** A segment of a run, or an event that is none. */
interface Entry<T> {
  readonly delta: Delta | undefined;
  readonly event: T | undefined;
  next: Entry<T> | undefined;
}

/** The last segment so far, which may still grow. */
interface Held {
  readonly delta: Delta;
  /** When the oldest of its text came. */
  at: number;
}

/**
 * How many UTF-16 units are segmented at a time, and a segment has at most: V8's segmenter takes time
 * quadratic in the length of a text (53 us a word at 80,000 units, 1.3 us at 1,000), and a last segment
 * without end would be read again with each delta.
 */
const longestSegment = 1_000;

/**
 * What is longer is not segmented from its beginning, but cut into pieces that end with a segment, each found out from
 * the end of its piece. In UTF-16 units.
 */
const longestCut = 524_288;
const longestPiece = 16_384;
const longestEnd = 64;

/**
 * Gives text that comes in bursts out evenly, word by word.
 *
 * A segment goes out each `delay` milliseconds. Where more has come than half of `maxLag` has room for,
 * several go out at a time, joined to one event, until the source is caught up with; so no text is given
 * out later than `maxLag` after it came (as far as the timers of a busy machine are on time). The last
 * segment so far is held until what follows shows that it is whole, for half of `maxLag` at the longest.
 *
 * Reasoning and refusals are text too. Any other event comes after all text that came before it, and at
 * once where none is waiting; `completed` is so at most half of `maxLag` late. What comes after another
 * event, kind or choice begins a segment (so does each delta with `includeChunks`). On an error
 * everything that waits is given out at once, then the error. What waits before `restarting` is void, and dropped. No
 * timer runs while nothing waits.
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
 * An error that an own segmenter throws ends the turn. Throws a `RangeError` for a `locale` that is none.
 */
export function smooth<T extends RunEvent = ResponseEvent>(
  options: SmoothOptions = {},
): MonoTypeOperatorFunction<T> {
  const { maxLag = 1_000, scheduler = asyncScheduler } = options;
  const bound = maxLag / 2;
  const delay = Math.min(options.delay ?? 10, bound);
  /** In how many steps all that waits is to be given out. */
  const steps = delay > 0 ? Math.floor(bound / delay) : 1;
  const endsOf = segmentEnds(options.segmenter ?? 'word', options.locale);

  return (source) =>
    new Observable((subscriber) => {
      const clock = monotonicClock(scheduler);
      let first: Entry<T> | undefined;
      let last: Entry<T> | undefined;
      let held: Held | undefined;
      /** How many segments wait, and how many of them go out in a step. */
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
        // After a silence the first one goes out at once, and no step was missed.
        if (waiting === 0) stepAt = Math.max(stepAt, clock.now());
        waiting += 1;
      }

      /** What follows is another thing, or never comes. */
      function seal(): void {
        if (held !== undefined && endsInPair(held.delta.text)) cut(held, held.delta.text.length, true);
        if (held !== undefined) enqueue(held.delta);
        held = undefined;
      }

      /** What waits of the attempt that failed is void. What stands before it, up to a boundary, is not of it. */
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

      /** Parts what is held into the segments that are whole and the one that may still grow. */
      function cut(tail: Held, before: number, isLast = false): void {
        const { text } = tail.delta;
        let start = 0;
        for (let isFull = true; isFull;) {
          // Of so much, many segments go out at a time anyway: to find each of them takes long, and those that wait memory.
          const isMuch = text.length - start > longestCut;
          const from = isMuch ? start + longestPiece - longestEnd : start;
          const read = text.slice(from, isMuch ? from + longestEnd : from + longestSegment);
          // Half a character joins nothing: the other half may.
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

      /** Gives out so many segments, and the other events between and after them. */
      function give(count: number): void {
        // A consumer may make the source emit, so what is left is known at every step.
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
          // A delta's event is of the kind that came.
          subscriber.next(eventOf(delta) as T);
        }
      }

      /** Gives out what is due, and sets the timer for what is not. */
      function advance(): void {
        const now = clock.now();
        if (held !== undefined && now >= held.at + bound) {
          seal();
          stepAt = now + delay;
          give(Infinity);
        } else {
          share = Math.max(share, Math.ceil(waiting / steps));
          // More than one where the timer was late.
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
        // One that is early asks again, which costs less than a new one for each delta.
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
          // Nothing may wait any more although a timer is set: after a restart.
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

/** A part of a delta's text. What else came with it goes with the first one. */
function part(delta: Delta, start: number, end?: number): Delta {
  return {
    ...delta,
    text: delta.text.slice(start, end),
    details: start === 0 ? delta.details : [],
    isChanged: true,
  };
}

/** Whether an attempt that fails later takes nothing back of what stands before this event. */
const isBoundary = (event: RunEvent): boolean =>
  event.type === 'completed' || event.type === 'restarting' || !isResponseEvent(event);

/** Whether a text ends within a surrogate pair. */
function endsInPair(text: string): boolean {
  return (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800;
}
