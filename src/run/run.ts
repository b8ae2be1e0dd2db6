import type { ChatCompletionsError } from '../turn/errors.js';
import type { ResponseEvent, ResponseItem, TokenUsage, ToolCallItem, ToolOutput } from '../turn/events.js';
import type { RunEndReason, RunEvent, ToolEvent } from '../turn/run-events.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn/turn.js';

/**
 * Where a run stands:
 * - `'waiting'`: a turn was requested, and nothing of its answer has come yet
 * - `'retrying'`, `'restarting'`, `'streaming'`: as with a turn
 * - `'running_tools'`: calls are being executed
 * - `'awaiting_approval'`: at least one call waits for a decision
 * - `'completed'`: the run is over
 * - `'pending'`: it is over, and calls without an output are left: they wait for a decision, or for the application
 * - `'stopped'`: it was stopped
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
 * Where a call stands:
 * - `'waiting'`: not started yet
 * - `'awaiting_approval'`: it waits for a decision
 * - `'running'`: its tool executes
 * - `'finished'`: it has an output
 * - `'failed'`: it failed, and the model was told
 * - `'rejected'`: the approval was refused, and the model was told
 * - `'cancelled'`: the run ended before it did
 */
export type RunToolStatus =
  'waiting' | 'awaiting_approval' | 'running' | 'finished' | 'failed' | 'rejected' | 'cancelled';

/** One call in a run, and what became of it. */
export interface RunTool {
  readonly callId: string;
  /** `undefined` where its events come without the beginning of their run. */
  readonly call: ToolCallItem | undefined;
  readonly status: RunToolStatus;
  /** `true` where a decision was asked for. */
  readonly needsApproval: boolean;
  /** The arguments that the tool was given, where the approval changed them. */
  readonly arguments: unknown;
  /** The latest value that was not the output. */
  readonly progress: unknown;
  /** What the model was told. */
  readonly output: ToolOutput | undefined;
  readonly error: ChatCompletionsError | undefined;
  /** Milliseconds from its start to its end. */
  readonly duration: number | undefined;
}

/** One turn, and the calls that the model made in it. */
export interface RunStep {
  /** What `beforeTurn` added to the conversation before the turn. */
  readonly input: readonly ResponseItem[];
  /** The empty turn in a run that begins with the calls of an earlier one. */
  readonly turn: Turn;
  /** In the order of the calls. */
  readonly tools: readonly RunTool[];
}

/** A run so far: an immutable snapshot. What an event does not change is the same object as before. */
export interface Run {
  readonly status: RunStatus;
  /** Every turn with its tools, in order. */
  readonly steps: readonly RunStep[];
  /** The sum over the turns that told their usage; `null` before the first. */
  readonly usage: TokenUsage | null;
  /** Why the run ended; `undefined` while it goes on. */
  readonly reason: RunEndReason | undefined;
}

/** A run of which nothing has come yet. */
export const emptyRun: Run = /* @__PURE__ */ Object.freeze({
  status: 'waiting',
  steps: [],
  usage: null,
  reason: undefined,
});

const emptyStep: RunStep = /* @__PURE__ */ (() => Object.freeze({ input: [], turn: emptyTurn, tools: [] }))();

/**
 * What a run is after one more event: the fold behind `accumulateRun()` and `toRunState()`, and the reducer for a
 * store (NgRx, Redux).
 *
 * A stopped `completed`, such as `stopWhen()` emits, ends the run. The event after the end begins a new one.
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

/** Whether a run whose turn was stopped, and which is over by that, is only told so: such a turn ends the run it is in. */
const isItsEnd = ({ steps }: Run, event: RunEvent): boolean =>
  event.type === 'run_completed' && event.turns > 0 && steps.at(-1)?.turn.status === 'stopped';

/** A run that ends here: the calls without an output are cancelled. */
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

/** A call that nothing was done about yet. */
const waitingTool = (call: ToolCallItem): RunTool => ({ ...newTool(call.call_id), call });

/** A run that goes on with calls that have no output: of its own last turn, or of a run that is over. */
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

/** A call of which nothing is known but its id. */
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

/** Whether the last step still takes events of its turn. */
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

/** The turn of the last step, while it takes events; the next event begins a step where there is none. */
export function openTurn(run: Run): Turn | undefined {
  const step = run.steps.at(-1);
  return step !== undefined && takesTurn(step) ? step.turn : undefined;
}

/** The run with what its open turn, or the one that begins, has become. */
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

/** The run with the calls of its last step as they stand now. */
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

/** A call after one more event of its own. */
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

/** A `RemoteTurnError` says the code as well. */
function endOf(error: (ChatCompletionsError & { readonly code?: unknown }) | undefined): RunToolStatus {
  if (error === undefined) return 'finished';
  return error.code === 'rejected' || error.code === 'cancelled' ? error.code : 'failed';
}

/** The run with a step in its place, and the status that follows from it. */
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
  // Whether the run goes on is told next.
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
