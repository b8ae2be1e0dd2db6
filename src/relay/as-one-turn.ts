import { concat, concatMap, defer, EMPTY, from, type OperatorFunction } from 'rxjs';
import { openCalls } from '../run/open-calls.js';
import type { CompletedEvent, OutputItemDoneEvent, ResponseEvent, ResponseItem } from '../turn/events.js';
import { isToolReason } from '../turn/finish-reason.js';
import type { RunCompletedEvent, RunEvent } from '../turn/run-events.js';

/**
 * Presents a run as one turn, for clients that do not know runs: the text and reasoning of all turns as they
 * arrive, then the calls left for the client, and one `completed`.
 *
 * Calls that the run executed, or that wait for an approval, are left out, with their provider-specific fields;
 * those of the last turn are emitted at the end. The usage is the run's. `restarting` is dropped if nothing of
 * its turn has been emitted, and otherwise passed on.
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
      /** The latest turn's provider-specific fields, without its text. */
      let wanted: OutputItemDoneEvent[] = [];
      /** Whether anything of the latest turn was emitted. */
      let isGiven = false;
      /** Calls that wait for an approval; the client does not know their tools. */
      const undecided = new Set<string>();
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
        const open = reason === 'pending' ? openCalls(items) : [];
        const calls = open.filter(({ call_id: id }) => !undecided.has(id));
        const last = [
          ...(reason === 'answered' || calls.length > 0 ? wanted : []),
          ...calls.map(itemDone),
          endOf(end, calls.length > 0 ? 'tool_calls' : reason === 'max_turns' ? 'length' : undefined, usage),
        ];
        wanted = [];
        isGiven = false;
        end = undefined;
        undecided.clear();
        return last;
      }

      function inOneTurn(event: RunEvent): readonly ResponseEvent[] {
        switch (event.type) {
          case 'output_item_done':
            // A run continues with choice 0.
            return (event.choice ?? 0) === 0 ? said(event) : [];
          case 'restarting':
            if (isGiven) return [event];
            wanted = [];
            return [];
          case 'completed':
            end = event;
            isGiven = false;
            return [];
          case 'approval_requested':
            undecided.add(event.call.call_id);
            return [];
          case 'run_completed':
            return ended(event);
          default:
            return [];
        }
      }

      return concat(
        source.pipe(concatMap(inOneTurn)),
        // A stopped run has no other end.
        defer(() => (end === undefined ? EMPTY : from([endOf(end, undefined, end.usage)]))),
      );
    });
}

const itemDone = (item: ResponseItem): OutputItemDoneEvent => ({ type: 'output_item_done', item });

/** The end of a turn as the end of the run, without calls that were not emitted. */
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
