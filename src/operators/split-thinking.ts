import { catchError, concat, concatMap, defer, from, type OperatorFunction, throwError } from 'rxjs';
import type { OutputItemDoneEvent, ResponseEvent } from '../turn/events.js';
import { isContent } from '../turn/is-content.js';
import { isTurnEvent } from '../turn/is-turn-event.js';
import { isTextDelta } from '../turn/is-text-delta.js';
import type { RunEvent } from '../turn/run-events.js';

export interface SplitThinkingOptions {
  /** For models that start thinking without the opening tag. Default `false`. */
  readonly startInReasoning?: boolean | undefined;
  /** Default `<think>`. */
  readonly openingTag?: string | undefined;
  /** Default `</think>`. */
  readonly closingTag?: string | undefined;
}

/**
 * Turns `<think>…</think>` blocks in the text into reasoning items.
 *
 * Tags may be split anywhere across deltas. Only text that may be the start of a tag is held back, and is
 * emitted unchanged if the turn ends or fails. Each choice is split separately, and each turn starts anew, also
 * after `restarting` and in a run, whose other events pass unchanged.
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
  if (options.openingTag === '' || options.closingTag === '')
    throw new TypeError('openingTag and closingTag must not be empty.');
  return (source) =>
    defer(() => {
      const splitters = new Map<number, Splitter>();
      const flush = (): OutputItemDoneEvent[] => {
        const rest = [...splitters.values()].flatMap((splitter) => splitter.flush());
        splitters.clear();
        return rest;
      };

      const split = (event: T): Iterable<T | OutputItemDoneEvent> => {
        if (event.type === 'completed' || !isTurnEvent(event)) return [...flush(), event];
        if (event.type === 'restarting') splitters.clear();
        if (!isContent(event)) return [event];
        const { choice = 0 } = event;
        if (!isTextDelta(event) || event.item.content.length > 1) {
          // Other events follow all earlier text.
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

/** How many characters are held at most while waiting for the first tag. */
const longestStart = 256;

interface Splitter {
  /** One by one: a text may be all tags. */
  push(text: string): Iterable<OutputItemDoneEvent>;
  flush(): OutputItemDoneEvent[];
}

function splitterOf(choice: number | undefined, options: SplitThinkingOptions): Splitter {
  const { startInReasoning = false, openingTag = '<think>', closingTag = '</think>' } = options;
  let isThinking = startInReasoning;
  /** Whether the optional opening tag may still arrive. */
  let mayOpen = startInReasoning;
  /** What may be the start of a tag. */
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
        // Some models put a line break before it (vellum-assistant#34556).
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

/** How many of a text's last characters may be the start of a tag. */
function beginningOf(tag: string, text: string): number {
  for (let length = tag.length - 1; length > 0; length -= 1) {
    if (text.endsWith(tag.slice(0, length))) return length;
  }
  return 0;
}
