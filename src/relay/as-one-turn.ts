import { concat, concatMap, defer, EMPTY, from, type OperatorFunction } from 'rxjs';
import { openCalls } from '../run/open-calls.js';
import type { CompletedEvent, OutputItemDoneEvent, ResponseEvent, ResponseItem } from '../turn/events.js';
import { isToolReason } from '../turn/finish-reason.js';
import type { RunCompletedEvent, RunEvent } from '../turn/run-events.js';

/**
 * Gives a run as one turn, for those who know no runs: the text and the reasoning of all turns as they come, then the
 * calls that are left to whoever asked, and one `completed`.
 *
 * Calls that the run has executed are not given, nor what a provider wants back with them. What the provider wants back
 * of the last turn comes at the end. The usage is that of the run. At a `restarting` of a turn of which nothing was given
 * it goes on; any other is passed.
 *
 * ```
 * source   --Let-me-(call completed started)-finished--It's--(completed run_completed|)
 *          asOneTurn()
 * result   --Let-me------------------------------------It's--(completed|)
 * ```
 */
export function asOneTurn(): OperatorFunction<RunEvent, ResponseEvent> {
  return (source) =>
    defer(() => {
      /** What the provider wants back of the latest turn, without a word of it. */
      let wanted: OutputItemDoneEvent[] = [];
      /** Whether something of the latest turn was given. */
      let isGiven = false;
      /** The end of the latest turn, until the next begins or the run ends. */
      let end: CompletedEvent | undefined;

      function said(event: OutputItemDoneEvent): readonly ResponseEvent[] {
        if (end !== undefined) wanted = [];
        end = undefined;
        const { item } = event;
        if (item.type === 'message' && item.role === 'assistant') {
          isGiven = true;
          return [event];
        }
        if (item.type !== 'reasoning') return [];
        const { type, content, ...rest } = item;
        if (Object.keys(rest).length > 0) wanted.push({ ...event, item: { ...item, content: [] } });
        if (content.every(({ text }) => text === '')) return [];
        isGiven = true;
        return [{ ...event, item: { type, content } }];
      }

      function ended({ reason, items, usage }: RunCompletedEvent): readonly ResponseEvent[] {
        const calls = reason === 'pending' ? openCalls(items) : [];
        const last = [
          ...(reason === 'answered' || calls.length > 0 ? wanted : []),
          ...calls.map(itemDone),
          endOf(end, calls.length > 0 ? 'tool_calls' : reason === 'max_turns' ? 'length' : undefined, usage),
        ];
        wanted = [];
        isGiven = false;
        end = undefined;
        return last;
      }

      function inOneTurn(event: RunEvent): readonly ResponseEvent[] {
        switch (event.type) {
          case 'output_item_done':
            // A run goes on with choice 0.
            return (event.choice ?? 0) === 0 ? said(event) : [];
          case 'restarting':
            if (isGiven) return [event];
            wanted = [];
            return [];
          case 'completed':
            end = event;
            isGiven = false;
            return [];
          case 'run_completed':
            return ended(event);
          default:
            return [];
        }
      }

      return concat(
        source.pipe(concatMap(inOneTurn)),
        // A run that was stopped has no other end.
        defer(() => (end === undefined ? EMPTY : from([endOf(end, undefined, end.usage)]))),
      );
    });
}

const itemDone = (item: ResponseItem): OutputItemDoneEvent => ({ type: 'output_item_done', item });

/** The end of a turn as that of the run, which tells of no call that it does not give. */
function endOf(
  end: CompletedEvent | undefined,
  reason: string | undefined,
  usage: CompletedEvent['usage'],
): CompletedEvent {
  const { choices: _choices, ...last } = end ?? { type: 'completed', responseId: '', finishReason: 'stop' };
  const { finishReason } = last;
  const isOfCalls = finishReason !== null && isToolReason(finishReason);
  return { ...last, finishReason: reason ?? (isOfCalls ? 'stop' : finishReason), usage };
}
