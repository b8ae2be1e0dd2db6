import type { ObservableInput, SchedulerLike } from 'rxjs';
import type { ToolCallItem } from '../turn/events.js';
import type { Tool } from './tool.js';

/** The decision on a call. */
export interface ApprovalDecision {
  readonly approved: boolean;
  /** The reason for a rejection, for the model. */
  readonly reason?: string | undefined;
  /** Replaces the model's arguments; validated like them. */
  readonly arguments?: unknown;
}

/** Decides on a call. Completing without a value leaves the call, and the run, pending. */
export type Approve = (
  call: ToolCallItem,
) => ObservableInput<boolean | ApprovalDecision> | boolean | ApprovalDecision;

/** How calls are executed. */
export interface CallOptions {
  readonly tools: ReadonlyMap<string, Tool>;
  /** The names of tools that the application executes itself. */
  readonly ownTools: ReadonlySet<string>;
  readonly concurrency: number;
  readonly toolTimeout: number;
  readonly approve: Approve | undefined;
  readonly beforeTool: ((call: ToolCallItem) => unknown) | undefined;
  readonly toolError: 'tell' | 'fail';
  readonly scheduler: SchedulerLike;
}
