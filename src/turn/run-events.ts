import type { ChatCompletionsError } from './errors.js';
import type { ResponseEvent, ResponseItem, TokenUsage, ToolCallItem, ToolOutput } from './events.js';

/** `beforeTurn` has added items to the conversation, such as a user's message during the run. */
export interface InputAddedEvent {
  readonly type: 'input_added';
  readonly items: readonly ResponseItem[];
}

/** A run begins with calls that an earlier run left without output. */
export interface RunResumedEvent {
  readonly type: 'run_resumed';
  readonly calls: readonly ToolCallItem[];
}

/** A call waits for approval. `tool_started` follows or, if it is rejected, `tool_finished`. */
export interface ApprovalRequestedEvent {
  readonly type: 'approval_requested';
  readonly call: ToolCallItem;
}

/** A tool starts to execute. */
export interface ToolStartedEvent {
  readonly type: 'tool_started';
  readonly call: ToolCallItem;
  /** The arguments that the tool gets, if the approval changed them. */
  readonly arguments?: unknown;
}

/** An intermediate value of a tool. */
export interface ToolProgressEvent {
  readonly type: 'tool_progress';
  readonly callId: string;
  readonly value: unknown;
}

/** A call is over, with the output that the model gets. */
export interface ToolFinishedEvent {
  readonly type: 'tool_finished';
  readonly callId: string;
  readonly output: ToolOutput;
  /** Milliseconds since `tool_started`; 0 for a call that never started. */
  readonly duration: number;
  /** Why the call failed: a `ToolError`, or a `RemoteTurnError` if the run was on a server. */
  readonly error?: ChatCompletionsError;
}

/**
 * Why a run ended:
 * - `'answered'`: the model called no more tools
 * - `'stopped'`: `beforeTurn` returned `'stop'`, or the turn itself was stopped
 * - `'pending'`: calls wait for approval, or for the application to execute them
 * - `'max_turns'`: the model still called tools in the last turn that `maxTurns` allows
 */
export type RunEndReason = 'answered' | 'stopped' | 'pending' | 'max_turns';

/** The end of a run. Nothing follows it. */
export interface RunCompletedEvent {
  readonly type: 'run_completed';
  readonly reason: RunEndReason;
  /** The items that the run adds to the conversation: append them to the prompt's `input`. */
  readonly items: readonly ResponseItem[];
  /** The sum over its turns; `null` if none reported its usage. */
  readonly usage: TokenUsage | null;
  /** The number of turns. */
  readonly turns: number;
}

/** An event between the turns of a run. */
export type ToolEvent = ApprovalRequestedEvent | ToolStartedEvent | ToolProgressEvent | ToolFinishedEvent;

/** What a run emits: the events of its turns, and those between turns. */
export type RunEvent = ResponseEvent | ToolEvent | InputAddedEvent | RunResumedEvent | RunCompletedEvent;
