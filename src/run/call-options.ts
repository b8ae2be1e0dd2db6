import type { ObservableInput, SchedulerLike } from 'rxjs';
import type { ToolCallItem } from '../turn/events.js';
import type { Tool } from './tool.js';

/** A decision about a call. */
export interface ApprovalDecision {
  readonly approved: boolean;
  /** Why not, for the model. */
  readonly reason?: string | undefined;
  /** What the tool is given in place of the model's arguments; checked as those are. */
  readonly arguments?: unknown;
}

/** Decides about a call. To complete without a value leaves the call, and the run, pending. */
export type Approve = (
  call: ToolCallItem,
) => ObservableInput<boolean | ApprovalDecision> | boolean | ApprovalDecision;

/** How calls are executed. */
export interface CallOptions {
  readonly tools: ReadonlyMap<string, Tool>;
  /** The names of those that the application executes itself. */
  readonly ownTools: ReadonlySet<string>;
  readonly concurrency: number;
  readonly toolTimeout: number;
  readonly approve: Approve | undefined;
  readonly beforeTool: ((call: ToolCallItem) => unknown) | undefined;
  readonly toolError: 'tell' | 'fail';
  readonly scheduler: SchedulerLike;
}
