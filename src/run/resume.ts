import { StreamError } from '../turn/errors.js';
import type { ResponseItem, RestartingEvent, ToolCallItem } from '../turn/events.js';
import { restartingNow } from '../turn/restarting-now.js';
import { isOpen, lastStep, type Run, type RunStep } from './run.js';
import { callItem, stepItems } from './run-items.js';
import type { Tool } from './tool.js';

/** Where to resume a run that was started elsewhere. */
export interface Resumption {
  /** The items that it added to the conversation, without its last turn and tools. */
  readonly items: readonly ResponseItem[];
  /** How many of its turns are complete. */
  readonly turns: number;
  /** Whether tools come next: its last turn is complete, or it has only tools. */
  readonly isAtTools: boolean;
  /** Whether its last turn was cut off, and its output must be discarded. */
  readonly isCut: boolean;
  /** Calls that may be executed. */
  readonly open: readonly ToolCallItem[];
  /** Calls that were started and must not be started again. */
  readonly lost: readonly ToolCallItem[];
  /** Calls that were cut off while the model wrote them, and not reported to it yet. */
  readonly cut: readonly ToolCallItem[];
}

export function resumptionOf(run: Run, tools: ReadonlyMap<string, Tool>): Resumption {
  const { turn, tools: called } = lastStep(run);
  const isLost = ({ call, status }: (typeof called)[number]): boolean =>
    status === 'running' && tools.get(call?.name ?? '')?.idempotent !== true;
  const open = called.filter(isOpen);
  return {
    items: run.steps.flatMap(itemsBefore),
    turns: run.steps.filter((step) => step.turn.status === 'completed').length,
    isAtTools: turn.status === 'completed' || called.length > 0,
    isCut: turn.status === 'streaming',
    open: open.filter((tool) => !isLost(tool)).flatMap(({ call }) => call ?? []),
    lost: open.filter(isLost).flatMap(({ call }) => call ?? []),
    cut: cutCallsOf(lastStep(run)),
  };
}

/** The calls of a turn that were cut off and not reported to the model yet. */
export function cutCallsOf({ turn, tools }: RunStep): readonly ToolCallItem[] {
  const told = new Set(tools.map(({ callId }) => callId));
  return turn.toolCalls.filter(({ item, callId }) => item === undefined && !told.has(callId)).map(callItem);
}

/** The prompt's items before the tools of the last turn are executed. */
const itemsBefore = (step: RunStep, place: number, steps: readonly RunStep[]): readonly ResponseItem[] => [
  ...step.input,
  ...(place < steps.length - 1 ? stepItems(step) : []),
];

/** Discards the output of a turn that was cut off. */
export const cutTurn = (): RestartingEvent =>
  restartingNow(1, new StreamError({ message: 'The run was resumed in the middle of a turn.' }));
