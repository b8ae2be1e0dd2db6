import type { InputItem } from '../prompt/prompt.js';
import type { ToolCallItem } from '../turn/events.js';

/**
 * The calls without an output after the last message that is not the assistant's: an earlier run left them
 * open.
 */
export function openCalls(input: readonly InputItem[]): readonly ToolCallItem[] {
  const answered = new Set<string>();
  const open = new Map<string, ToolCallItem>();
  for (let at = input.length - 1; at >= 0; at -= 1) {
    const item = input[at];
    if (item === undefined || isFromOthers(item)) break;
    if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output')
      answered.add(item.call_id);
    if (item.type !== 'function_call' && item.type !== 'custom_tool_call') continue;
    // Of two calls with the same id the later counts, as in a request.
    if (!answered.has(item.call_id) && !open.has(item.call_id)) open.set(item.call_id, item);
  }
  return [...open.values()].reverse();
}

const isFromOthers = (item: InputItem): boolean => 'role' in item && item.role !== 'assistant';
