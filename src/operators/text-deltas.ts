import { defer, filter, map, type OperatorFunction } from 'rxjs';
import { isTextDelta, type TextDeltaEvent } from '../turn/is-text-delta.js';
import type { RunEvent } from '../turn/run-events.js';

/**
 * Emits the assistant's text as it arrives, and nothing else: choice 0's, where a request asked for several. Of a run, the
 * text of all its turns.
 *
 * ```
 * source   --Hel--lo--(completed|)      Hel, lo: output_item_done
 *          textDeltas()
 * result   --'Hel'--'lo'--|
 * ```
 *
 * Text cannot be taken back: at a `restarting` event of a turn of which text was given, it errors with that event's
 * `error`. Where none was given, it goes on.
 *
 * @example
 * ```ts
 * turn.pipe(textDeltas()).subscribe((text) => process.stdout.write(text));
 * ```
 */
export function textDeltas(): OperatorFunction<RunEvent, string> {
  return (source) =>
    defer(() => {
      let hasText = false;

      function isGiven(event: RunEvent): event is TextDeltaEvent {
        if (event.type === 'restarting' && hasText) throw event.error;
        // Pieces of several choices, without their labels, would be one garbled text.
        const isText = isTextDelta(event) && (event.choice ?? 0) === 0;
        hasText = isText || (hasText && event.type !== 'completed');
        return isText;
      }

      return source.pipe(
        filter(isGiven),
        map(({ item }) => item.content[0].text),
      );
    });
}
