import { asyncScheduler, type Observable } from 'rxjs';
import { chatMessages } from '../../src/prompt/messages.js';
import type { InputItem } from '../../src/prompt/prompt.js';
import type {
  CompletedEvent,
  FunctionCallItem,
  OutputItemDoneEvent,
  ResponseEvent,
  ToolCallItem,
  ToolOutput,
} from '../../src/turn/events.js';
import type { RunCompletedEvent, RunEvent, ToolFinishedEvent } from '../../src/turn/run-events.js';
import type { CallOptions } from '../../src/run/call-options.js';
import type { Tool } from '../../src/run/tool.js';
import { ToolError, type ToolErrorCode } from '../../src/turn/tool-error.js';
import { completed } from './events.js';

/** A call of a tool, whose id is its name unless it has another. */
export const call = (name: string, args = '{}', callId = name): FunctionCallItem => ({
  type: 'function_call',
  call_id: callId,
  name,
  arguments: args,
});

/** The event of a whole call. */
export const called = (item: ToolCallItem): OutputItemDoneEvent => ({ type: 'output_item_done', item });

/** The end of a turn that asks for calls. */
export const asked = (fields: Partial<CompletedEvent> = {}): CompletedEvent =>
  completed({ finishReason: 'tool_calls', ...fields });

/** A turn that calls. */
export const turnCalling = (...calls: readonly ToolCallItem[]): readonly ResponseEvent[] => [
  ...calls.map(called),
  asked(),
];

export const started = (item: ToolCallItem, args?: unknown): RunEvent => ({
  type: 'tool_started',
  call: item,
  ...(args !== undefined && { arguments: args }),
});

export const progressed = (callId: string, value: unknown): RunEvent => ({
  type: 'tool_progress',
  callId,
  value,
});

export const finished = (callId: string, output: ToolOutput, duration = 0): ToolFinishedEvent => ({
  type: 'tool_finished',
  callId,
  output,
  duration,
});

export const failed = (
  item: ToolCallItem,
  code: ToolErrorCode,
  output: string,
  duration = 0,
  options: ConstructorParameters<typeof ToolError>[2] = {},
): ToolFinishedEvent => ({
  ...finished(item.call_id, output, duration),
  error: new ToolError(code, item, options),
});

export const outputOf = (callId: string, output: ToolOutput) =>
  ({ type: 'function_call_output', call_id: callId, output }) as const;

export const requested = (item: ToolCallItem): RunEvent => ({ type: 'approval_requested', call: item });

export const ended = (fields: Partial<RunCompletedEvent>): RunCompletedEvent => ({
  type: 'run_completed',
  reason: 'answered',
  items: [],
  usage: null,
  turns: 1,
  ...fields,
});

/** What calls of these tools are executed with. */
export const callOptions = (tools: readonly Tool[], options: Partial<CallOptions> = {}): CallOptions => ({
  tools: new Map(tools.map((tool) => [tool.name, tool])),
  ownTools: new Set(),
  concurrency: Infinity,
  toolTimeout: Infinity,
  approve: undefined,
  beforeTool: undefined,
  toolError: 'tell',
  scheduler: asyncScheduler,
  ...options,
});

/** What a run has emitted, and how it ended, once the source is over or left. */
export interface Outcome<T> {
  readonly events: T[];
  end: unknown;
}

/** What a source emits, and whether it completed; what it errored with. */
export function outcomeOf<T>(source: Observable<T>): Outcome<T> {
  const outcome: Outcome<T> = { events: [], end: 'open' };
  source.subscribe({
    next: (event) => outcome.events.push(event),
    error: (error: unknown) => (outcome.end = error),
    complete: () => (outcome.end = 'complete'),
  });
  return outcome;
}

/** Why a provider would refuse a conversation, as OpenAI does: each call has one output, before the next message. */
export function objectionsTo(items: readonly InputItem[]): readonly string[] {
  const objections: string[] = [];
  let open = new Set<unknown>();
  const expectNone = () => objections.push(...Array.from(open, (id) => `no output for ${String(id)}`));
  for (const message of chatMessages(items)) {
    if (message.role === 'tool') {
      if (!open.delete(message['tool_call_id']))
        objections.push(`an output without its call: ${String(message['tool_call_id'])}`);
      continue;
    }
    expectNone();
    const calls = (message['tool_calls'] ?? []) as readonly { readonly id: string }[];
    open = new Set(calls.map(({ id }) => id));
  }
  expectNone();
  return objections;
}

/** Freezes a value in depth, so that whoever writes to it throws. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  Object.values(value).forEach(frozen);
  return value;
}
