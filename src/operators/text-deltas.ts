import { defer, filter, map, type OperatorFunction } from 'rxjs';
import { isTextDelta, type TextDeltaEvent } from '../turn/is-text-delta.js';
import type { RunEvent } from '../turn/run-events.js';

/**
 * Emits the assistant's text as it arrives: only choice 0's, and for a run, the text of all turns.
 *
 * ```
 * source   --Hel--lo--(completed|)      Hel, lo: output_item_done
 *          textDeltas()
 * result   --'Hel'--'lo'--|
 * ```
 *
 * Emitted text cannot be taken back, so at a `restarting` event it errors with that event's `error` if the turn
 * has emitted text, and otherwise continues.
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
        // Text of several choices, without labels, would be garbled.
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
