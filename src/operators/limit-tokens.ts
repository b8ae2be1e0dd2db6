import { concat, defer, EMPTY, of, type OperatorFunction, takeWhile } from 'rxjs';
import { deltaOf } from '../turn/delta.js';
import type { CompletedEvent, ResponseEvent } from '../turn/events.js';
import { type Progress, progressAfter } from '../turn/progress.js';
import type { RunEvent } from '../turn/run-events.js';
import { stoppedEvent } from './stop-when.js';

/**
 * Stops a turn or a run that exceeds a number of tokens, and keeps its partial output, as {@link stopWhen}
 * does.
 *
 * During a turn the tokens are estimated: one for every four bytes of text, reasoning and arguments, which is
 * close for English and off by a factor of two elsewhere; hidden reasoning is not counted. At `completed` the
 * turn's `usage` (`includeUsage`) replaces the estimate, so the limit is a budget for all turns of a stream or
 * a run. Output discarded by `restarting` still counts, since it is billed. For a limit enforced by the
 * provider, send `max_completion_tokens`.
 *
 * ```
 * source   --Once upon--a time there was--a--…
 *          limitTokens(5)
 * result   --Once upon--(a time there was S|)     S: { type: 'completed', stopped: true, ... }
 * ```
 *
 * @example
 * ```ts
 * turn.pipe(limitTokens(2_000), outputItems()).subscribe((item) => conversation.push(item));
 * ```
 *
 * @param max - the limit in tokens; the event that exceeds it is the last before `completed`
 * @param tokensOf - counts the tokens of a text, to use a real tokenizer
 * @throws TypeError if `max` is not a number of at least 0
 */
export function limitTokens<T extends RunEvent = ResponseEvent>(
  max: number,
  tokensOf: (text: string) => number = estimate,
): OperatorFunction<T, NoInfer<T> | CompletedEvent> {
  if (!(typeof max === 'number' && max >= 0)) throw new TypeError('max must be a number of at least 0.');
  return (source) =>
    defer(() => {
      let spent = 0;
      let answer = 0;
      let progress: Progress = 'over';

      function isWithin(event: T): boolean {
        progress = progressAfter(progress, event);
        if (event.type === 'completed') {
          spent += event.usage?.outputTokens || answer;
          answer = 0;
        } else {
          const delta = deltaOf(event);
          if (delta !== undefined) answer += tokensOf(delta.text);
        }
        return spent + answer <= max;
      }

      return concat(
        source.pipe(takeWhile(isWithin, true)),
        defer(() => (progress === 'over' || spent + answer <= max ? EMPTY : of(stoppedEvent))),
      );
    });
}

/** A quarter of a text's UTF-8 bytes. */
function estimate(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    // Each half of a surrogate pair counts as two bytes.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit & 0xf800) !== 0xd800 ? 2 : 1;
  }
  return bytes / 4;
}
