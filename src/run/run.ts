import type { ChatCompletionsError } from '../turn/errors.js';
import type { ResponseEvent, ResponseItem, TokenUsage, ToolCallItem, ToolOutput } from '../turn/events.js';
import type { RunEndReason, RunEvent, ToolEvent } from '../turn/run-events.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn/turn.js';

/**
 * The status of a run:
 * - `'waiting'`: a turn was requested, and no output has arrived yet
 * - `'retrying'`, `'restarting'`, `'streaming'`: as with a turn
 * - `'running_tools'`: calls are being executed
 * - `'awaiting_approval'`: at least one call waits for approval
 * - `'completed'`: the run is over
 * - `'pending'`: the run is over, and calls without an output wait for approval, or for the application
 * - `'stopped'`: the run was stopped
 */
export type RunStatus =
  | 'waiting'
  | 'retrying'
  | 'restarting'
  | 'streaming'
  | 'running_tools'
  | 'awaiting_approval'
  | 'completed'
  | 'pending'
  | 'stopped';

/**
 * The status of a call:
 * - `'waiting'`: not started yet
 * - `'awaiting_approval'`: it waits for approval
 * - `'running'`: its tool executes
 * - `'finished'`: it has an output
 * - `'failed'`: it failed, which was reported to the model
 * - `'rejected'`: the approval was refused, which was reported to the model
 * - `'cancelled'`: the run ended before the call did
 */
export type RunToolStatus =
  'waiting' | 'awaiting_approval' | 'running' | 'finished' | 'failed' | 'rejected' | 'cancelled';

/** One call in a run, with its outcome. */
export interface RunTool {
  readonly callId: string;
  /** `undefined` if the events of the run started later than the call. */
  readonly call: ToolCallItem | undefined;
  readonly status: RunToolStatus;
  /** Whether approval was requested. */
  readonly needsApproval: boolean;
  /** The arguments that the tool got, if the approval changed them. */
  readonly arguments: unknown;
  /** The latest progress value. */
  readonly progress: unknown;
  /** The output that the model gets. */
  readonly output: ToolOutput | undefined;
  readonly error: ChatCompletionsError | undefined;
  /** Milliseconds from its start to its end. */
  readonly duration: number | undefined;
}

/** One turn, and the calls that the model made in it. */
export interface RunStep {
  /** The items that `beforeTurn` added before the turn. */
  readonly input: readonly ResponseItem[];
  /** The empty turn if the run begins with the calls of an earlier one. */
  readonly turn: Turn;
  /** In the order of the calls. */
  readonly tools: readonly RunTool[];
}

/** A run so far: an immutable snapshot. Unchanged parts are the same objects as before. */
export interface Run {
  readonly status: RunStatus;
  /** Every turn with its tools, in order. */
  readonly steps: readonly RunStep[];
  /** The sum over the turns that reported their usage; `null` before the first. */
  readonly usage: TokenUsage | null;
  /** Why the run ended; `undefined` until then. */
  readonly reason: RunEndReason | undefined;
}

/** A run before its first event. */
export const emptyRun: Run = /* @__PURE__ */ Object.freeze({
  status: 'waiting',
  steps: [],
  usage: null,
  reason: undefined,
});

const emptyStep: RunStep = /* @__PURE__ */ (() => Object.freeze({ input: [], turn: emptyTurn, tools: [] }))();

/**
 * Returns the run after one more event: the fold behind `accumulateRun()` and `toRunState()`, and a reducer for
 * a store (NgRx, Redux).
 *
 * A stopped `completed`, as emitted by `stopWhen()`, ends the run. The event after the end begins a new run.
 *
 * @example
 * ```ts
 * const run = events.reduce(reduceRun, emptyRun);
 * for (const { turn, tools } of run.steps) console.log(turn.text, tools.length);
 * ```
 */
export function reduceRun(run: Run, event: RunEvent): Run {
  const base = run.reason === undefined || isItsEnd(run, event) ? run : emptyRun;
  switch (event.type) {
    case 'input_added':
      return withStep(base, base.steps.length, { ...emptyStep, input: event.items });
    case 'run_resumed':
      return withResumed(base, event.calls);
    case 'approval_requested':
    case 'tool_started':
    case 'tool_progress':
    case 'tool_finished':
      return withToolEvent(base, event);
    case 'run_completed': {
      const { reason, usage } = event;
      if (reason === 'stopped') return { ...endRun(base), usage };
      return { ...base, status: reason === 'pending' ? 'pending' : 'completed', usage, reason };
    }
    case 'completed':
      if (event.stopped === true)
        return endRun(openTurn(base) === undefined ? base : withTurnEvent(base, event));
      return withTurnEvent(base, event);
    default:
      return withTurnEvent(base, event);
  }
}

/** Whether an event only confirms the end of a run that a stopped turn has already ended. */
const isItsEnd = ({ steps }: Run, event: RunEvent): boolean =>
  event.type === 'run_completed' && event.turns > 0 && steps.at(-1)?.turn.status === 'stopped';

/** Ends a run: calls without an output are cancelled. */
export function endRun(run: Run): Run {
  const last = run.steps.at(-1);
  const ended: Run = { ...run, status: 'stopped', reason: 'stopped' };
  if (last === undefined || !last.tools.some(isOpen)) return ended;
  const tools = last.tools.map((tool): RunTool => (isOpen(tool) ? { ...tool, status: 'cancelled' } : tool));
  return { ...ended, steps: stepsWith(run.steps, run.steps.length - 1, { ...last, tools }) };
}

/** Whether a call has no output yet. */
export const isOpen = ({ status }: RunTool): boolean =>
  status === 'waiting' || status === 'awaiting_approval' || status === 'running';

/** A call that has not been handled yet. */
const waitingTool = (call: ToolCallItem): RunTool => ({ ...newTool(call.call_id), call });

/** A run that continues with open calls, of its own last turn or of an earlier run. */
function withResumed(run: Run, calls: readonly ToolCallItem[]): Run {
  const openAgain = new Map(calls.map((call) => [call.call_id, waitingTool(call)]));
  const { tools } = lastStep(run);
  return tools.some(({ callId }) => openAgain.has(callId))
    ? withTools(
        run,
        tools.map((tool) => openAgain.get(tool.callId) ?? tool),
      )
    : withStep(run, run.steps.length, { ...emptyStep, tools: [...openAgain.values()] });
}

/** A call of which only the id is known. */
export const newTool = (callId: string): RunTool => ({
  callId,
  call: undefined,
  status: 'waiting',
  needsApproval: false,
  arguments: undefined,
  progress: undefined,
  output: undefined,
  error: undefined,
  duration: undefined,
});

const isOver = ({ status }: Turn): boolean => status === 'completed' || status === 'stopped';

/** Whether the step's turn is still open. */
const takesTurn = ({ turn, tools }: RunStep): boolean => !isOver(turn) && tools.length === 0;

function withTurnEvent(run: Run, event: ResponseEvent): Run {
  const before = openTurn(run);
  const turn = reduceTurn(before ?? emptyTurn, event);
  if (turn === before) return run;
  const after = withTurn(run, turn);
  return event.type === 'completed' && event.usage !== null
    ? { ...after, usage: sumOf(run.usage, event.usage) }
    : after;
}

/** The open turn of the last step; `undefined` if the next event begins a new step. */
export function openTurn(run: Run): Turn | undefined {
  const step = run.steps.at(-1);
  return step !== undefined && takesTurn(step) ? step.turn : undefined;
}

/** The run with its open turn, or a new one, replaced. */
export function withTurn(run: Run, turn: Turn): Run {
  const isNew = openTurn(run) === undefined;
  const step = isNew ? emptyStep : lastStep(run);
  return withStep(run, isNew ? run.steps.length : run.steps.length - 1, {
    input: step.input,
    turn,
    tools: isOver(turn) && turn.toolCalls.length > 0 ? waitingTools(turn) : step.tools,
  });
}

const waitingTools = ({ toolCalls }: Turn): readonly RunTool[] =>
  toolCalls.flatMap(({ item }) => (item === undefined ? [] : [waitingTool(item)]));

export const lastStep = ({ steps }: Run): RunStep => steps.at(-1) ?? emptyStep;

/** The run with the calls of its last step replaced. */
export const withTools = (run: Run, tools: readonly RunTool[]): Run =>
  withStep(run, Math.max(run.steps.length - 1, 0), { ...lastStep(run), tools });

function withToolEvent(run: Run, event: ToolEvent): Run {
  const callId = callIdOf(event);
  const tools = [...lastStep(run).tools];
  const found = tools.findIndex((tool) => tool.callId === callId);
  const place = found === -1 ? tools.length : found;
  tools[place] = toolAfter(tools[place] ?? newTool(callId), event);
  return withTools(run, tools);
}

export const callIdOf = (event: ToolEvent): string => ('call' in event ? event.call.call_id : event.callId);

/** A call after one more event. */
export function toolAfter(tool: RunTool, event: ToolEvent): RunTool {
  switch (event.type) {
    case 'approval_requested':
      return { ...tool, call: event.call, status: 'awaiting_approval', needsApproval: true };
    case 'tool_started':
      return { ...tool, call: event.call, status: 'running', arguments: event.arguments };
    case 'tool_progress':
      return { ...tool, progress: event.value };
    case 'tool_finished': {
      const { output, error, duration } = event;
      return { ...tool, status: endOf(error), output, error, duration };
    }
  }
}

/** A `RemoteTurnError` has the code as well. */
function endOf(error: (ChatCompletionsError & { readonly code?: unknown }) | undefined): RunToolStatus {
  if (error === undefined) return 'finished';
  return error.code === 'rejected' || error.code === 'cancelled' ? error.code : 'failed';
}

/** The run with one step replaced, and its new status. */
function withStep(run: Run, place: number, step: RunStep): Run {
  return {
    status: statusOf(step),
    steps: stepsWith(run.steps, place, step),
    usage: run.usage,
    reason: run.reason,
  };
}

function stepsWith(steps: readonly RunStep[], place: number, step: RunStep): readonly RunStep[] {
  const after = [...steps];
  after[place] = step;
  return after;
}

function statusOf({ turn, tools }: RunStep): RunStatus {
  // The next event says whether the run continues.
  if (tools.length === 0) return turn.status === 'completed' ? 'streaming' : turn.status;
  if (tools.some(({ status }) => status === 'awaiting_approval')) return 'awaiting_approval';
  if (tools.some(isOpen)) return 'running_tools';
  return 'waiting';
}

function sumOf(before: TokenUsage | null, added: TokenUsage): TokenUsage {
  if (before === null) return added;
  return {
    inputTokens: before.inputTokens + added.inputTokens,
    cachedInputTokens: before.cachedInputTokens + added.cachedInputTokens,
    outputTokens: before.outputTokens + added.outputTokens,
    reasoningOutputTokens: before.reasoningOutputTokens + added.reasoningOutputTokens,
    totalTokens: before.totalTokens + added.totalTokens,
  };
}
