import type { ChatCompletionsError } from './errors.js';
import type { ResponseEvent, ResponseItem, TokenUsage, ToolCallItem, ToolOutput } from './events.js';

/** `beforeTurn` has added to the conversation: what a user wrote while the run went on. */
export interface InputAddedEvent {
  readonly type: 'input_added';
  readonly items: readonly ResponseItem[];
}

/** A run begins with calls that an earlier one left without an output. */
export interface RunResumedEvent {
  readonly type: 'run_resumed';
  readonly calls: readonly ToolCallItem[];
}

/** A call waits for a decision. Next comes its `tool_started` or, where it was rejected, its `tool_finished`. */
export interface ApprovalRequestedEvent {
  readonly type: 'approval_requested';
  readonly call: ToolCallItem;
}

/** A tool begins to execute. */
export interface ToolStartedEvent {
  readonly type: 'tool_started';
  readonly call: ToolCallItem;
  /** The arguments that the tool is given, where the approval changed them. */
  readonly arguments?: unknown;
}

/** A value that a tool has emitted, and not its last. */
export interface ToolProgressEvent {
  readonly type: 'tool_progress';
  readonly callId: string;
  readonly value: unknown;
}

/** A call is over, and this is what the model is told of it. */
export interface ToolFinishedEvent {
  readonly type: 'tool_finished';
  readonly callId: string;
  readonly output: ToolOutput;
  /** Milliseconds since `tool_started`; 0 for a call that was never started. */
  readonly duration: number;
  /** Why the call failed: a `ToolError`, or a `RemoteTurnError` where the run was on a server. */
  readonly error?: ChatCompletionsError;
}

/**
 * Why a run ended:
 * - `'answered'`: the model called no more tools
 * - `'stopped'`: `beforeTurn` said so, or the turn itself was stopped
 * - `'pending'`: calls wait for a decision, or for the application to execute them
 * - `'max_turns'`: the model still called tools in the last turn that `maxTurns` allows
 */
export type RunEndReason = 'answered' | 'stopped' | 'pending' | 'max_turns';

/** The end of a run. Nothing follows it. */
export interface RunCompletedEvent {
  readonly type: 'run_completed';
  readonly reason: RunEndReason;
  /** What the run adds to the conversation: append it to the prompt's `input`. */
  readonly items: readonly ResponseItem[];
  /** The sum over its turns; `null` where none told its usage. */
  readonly usage: TokenUsage | null;
  /** How many turns there were. */
  readonly turns: number;
}

/** What happens between the turns of a run. */
export type ToolEvent = ApprovalRequestedEvent | ToolStartedEvent | ToolProgressEvent | ToolFinishedEvent;

/** What a run emits: the events of its turns, and what happens between them. */
export type RunEvent = ResponseEvent | ToolEvent | InputAddedEvent | RunResumedEvent | RunCompletedEvent;
