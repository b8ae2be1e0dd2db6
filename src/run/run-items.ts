import type { ResponseItem, ToolCallItem, ToolOutput } from '../turn/events.js';
import type { TurnToolCall } from '../turn/turn.js';
import { turnItems } from '../turn/turn-items.js';
import type { Run, RunStep, RunTool } from './run.js';

/** The output of a call that the end of a run left without one. */
const cancelled = 'The call was cancelled before it was complete.';

/**
 * The items that a run adds to the conversation, in a form that providers always accept: those that
 * `beforeTurn` added, the items of each turn, and an output for each call.
 *
 * A call without an output, because the run was stopped or failed, gets one that says so. Only a run that ended
 * `'pending'` leaves its calls open: `runTools()` continues with them.
 *
 * @example
 * ```ts
 * run.pipe(stopWhen(stop), accumulateRun(), last()).subscribe((run) => conversation.push(...runItems(run)));
 * ```
 */
export const runItems = (run: Run): readonly ResponseItem[] =>
  run.steps.flatMap((step, place) => {
    const isLast = place === run.steps.length - 1;
    return [...step.input, ...stepItems(step, isLast && run.status === 'pending')];
  });

/** The items that a turn and its tools add to the conversation. */
export function stepItems({ turn, tools }: RunStep, leaveOpen = false): readonly ResponseItem[] {
  const toolOf = new Map(tools.map((tool) => [tool.callId, tool]));
  // A call that was cut off is not an item of its turn. If it was reported to the model, its output needs the
  // call.
  const cut = turn.toolCalls.filter(({ callId, item }) => item === undefined && toolOf.has(callId));
  return [...turnItems(turn), ...cut.map(callItem), ...outputsOf(turn.toolCalls, tools, leaveOpen)];
}

function outputsOf(
  calls: readonly TurnToolCall[],
  tools: readonly RunTool[],
  leaveOpen: boolean,
): readonly ResponseItem[] {
  const toolOf = new Map(tools.map((tool) => [tool.callId, tool]));
  // A resumed run has tools whose calls belong to an earlier run.
  const callsAndTools = new Map<string, ToolCallItem | undefined>(
    tools.map(({ callId, call }) => [callId, call]),
  );
  for (const { callId, item } of calls) if (item !== undefined) callsAndTools.set(callId, item);
  return [...callsAndTools].flatMap(([callId, call]) => {
    const output = toolOf.get(callId)?.output ?? (leaveOpen ? undefined : cancelled);
    return output === undefined ? [] : [outputItem(callId, call, output)];
  });
}

/** A call that was cut off, as an item with the arguments so far. */
export const callItem = ({ callId, name, arguments: text }: TurnToolCall): ToolCallItem => ({
  type: 'function_call',
  call_id: callId,
  name,
  arguments: text,
});

const outputItem = (call_id: string, call: ToolCallItem | undefined, output: ToolOutput): ResponseItem => ({
  type: call?.type === 'custom_tool_call' ? 'custom_tool_call_output' : 'function_call_output',
  call_id,
  output,
});
