import { filter, map, type OperatorFunction, pipe } from 'rxjs';
import type { ResponseEvent } from '../events.js';
import { isTextDelta } from './is-text-delta.js';

/**
 * Emits the assistant's text as it arrives, and nothing else.
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
    filter(isTextDelta),
    map(({ item }) => item.content[0].text),
  );
}
