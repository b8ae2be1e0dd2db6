import { filter, map, type OperatorFunction, pipe } from 'rxjs';
import type { ResponseEvent } from '../turn/events.js';
import { isTextDelta, type TextDeltaEvent } from '../turn/is-text-delta.js';

/**
 * Emits the assistant's text as it arrives, and nothing else: choice 0's, where a request asked for several.
 *
 * ```
 * source   --Hel--lo--(completed|)      Hel, lo: output_item_done
 *          textDeltas()
 * result   --'Hel'--'lo'--|
 * ```
 *
 * @example
 * ```ts
 * turn.pipe(textDeltas()).subscribe((text) => process.stdout.write(text));
 * ```
 */
export function textDeltas(): OperatorFunction<ResponseEvent, string> {
  return pipe(
    // Pieces of several choices, without their labels, would be one garbled text.
    filter((event): event is TextDeltaEvent => isTextDelta(event) && (event.choice ?? 0) === 0),
    map(({ item }) => item.content[0].text),
  );
}
