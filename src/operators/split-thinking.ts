import { catchError, concat, concatMap, defer, from, type OperatorFunction, throwError } from 'rxjs';
import type { OutputItemDoneEvent, ResponseEvent } from '../turn/events.js';
import { isContent } from '../turn/is-content.js';
import { isResponseEvent } from '../turn/is-response-event.js';
import { isTextDelta } from '../turn/is-text-delta.js';
import type { RunEvent } from '../turn/run-events.js';

export interface SplitThinkingOptions {
  /** For models that begin to think without the opening tag. Default `false`. */
  readonly startInReasoning?: boolean | undefined;
  /** Default `<think>`. */
  readonly openingTag?: string | undefined;
  /** Default `</think>`. */
  readonly closingTag?: string | undefined;
}

/**
 * Moves what a model thinks aloud in its text, between `<think>` and `</think>`, to reasoning items.
 *
 * Tags may be split anywhere over deltas. Text that may be the beginning of a tag is held back until it
 * is known what it is, and nothing else is; what is held when the turn ends or fails is passed on as
 * what it was. Each choice is split by itself, and each turn anew, one that is `restarting` too, and each turn of a
 * run, whose other events pass as they are.
 *
 * ```
 * source   --<thi--nk>Hm</th--ink>4--(completed|)
 *          splitThinking()
 * result   ----------Hm-----------4--(completed|)      Hm: reasoning, 4: text
 * ```
 *
 * @example
 * ```ts
 * turn.pipe(splitThinking(), textDeltas()).subscribe((answer) => console.log(answer));
 * ```
 */
export function splitThinking<T extends RunEvent = ResponseEvent>(
  options: SplitThinkingOptions = {},
): OperatorFunction<T, NoInfer<T> | OutputItemDoneEvent> {
  if (options.openingTag === '' || options.closingTag === '') throw new TypeError('A tag must not be empty.');
  return (source) =>
    defer(() => {
      const splitters = new Map<number, Splitter>();
      const flush = (): OutputItemDoneEvent[] => {
        const rest = [...splitters.values()].flatMap((splitter) => splitter.flush());
        splitters.clear();
        return rest;
      };

      const split = (event: T): Iterable<T | OutputItemDoneEvent> => {
        if (event.type === 'completed' || !isResponseEvent(event)) return [...flush(), event];
        if (event.type === 'restarting') splitters.clear();
        if (!isContent(event)) return [event];
        const { choice = 0 } = event;
        if (!isTextDelta(event) || event.item.content.length > 1) {
          // What comes after text comes after all of it.
          return [...(splitters.get(choice)?.flush() ?? []), event];
        }
        let splitter = splitters.get(choice);
        if (splitter === undefined) splitters.set(choice, (splitter = splitterOf(event.choice, options)));
        return splitter.push(event.item.content[0].text);
      };

      const rest = defer(() => from(flush()));
      return concat(source.pipe(concatMap(split)), rest).pipe(
        catchError((error: unknown) =>
          concat(
            rest,
            throwError(() => error),
          ),
        ),
      );
    });
}

/** So many characters are held at the most while the first tag is waited for. */
const longestStart = 256;

interface Splitter {
  /** One by one: a text may be all tags. */
  push(text: string): Iterable<OutputItemDoneEvent>;
  flush(): OutputItemDoneEvent[];
}

function splitterOf(choice: number | undefined, options: SplitThinkingOptions): Splitter {
  const { startInReasoning = false, openingTag = '<think>', closingTag = '</think>' } = options;
  let isThinking = startInReasoning;
  /** Whether the opening tag, which need not come, may still come. */
  let mayOpen = startInReasoning;
  /** The beginning of a tag, perhaps. */
  let held = '';

  function itemOf(text: string): OutputItemDoneEvent[] {
    if (text === '') return [];
    const item: OutputItemDoneEvent['item'] = isThinking
      ? { type: 'reasoning', content: [{ type: 'reasoning_text', text }] }
      : { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] };
    return [{ type: 'output_item_done', item, ...(choice !== undefined && { choice }) }];
  }

  return {
    *push(text) {
      let rest = held + text;
      if (mayOpen) {
        // Some models break the line before it (vellum-assistant#34556).
        const starts = [rest, rest.trimStart()];
        const mayFollow = starts.some(
          (start) => start.length < openingTag.length && openingTag.startsWith(start),
        );
        if (mayFollow && rest.length < longestStart) {
          held = rest;
          return;
        }
        mayOpen = false;
        const opened = starts.find((start) => start.startsWith(openingTag));
        rest = opened?.slice(openingTag.length) ?? rest;
      }
      for (;;) {
        const tag = isThinking ? closingTag : openingTag;
        const place = rest.indexOf(tag);
        if (place === -1) {
          const kept = beginningOf(tag, rest);
          held = rest.slice(rest.length - kept);
          yield* itemOf(rest.slice(0, rest.length - kept));
          return;
        }
        yield* itemOf(rest.slice(0, place));
        isThinking = !isThinking;
        rest = rest.slice(place + tag.length);
      }
    },
    flush() {
      const text = held;
      held = '';
      mayOpen = false;
      return itemOf(text);
    },
  };
}

/** How many of a text's last characters may be the beginning of a tag. */
function beginningOf(tag: string, text: string): number {
  for (let length = tag.length - 1; length > 0; length -= 1) {
    if (text.endsWith(tag.slice(0, length))) return length;
  }
  return 0;
}
