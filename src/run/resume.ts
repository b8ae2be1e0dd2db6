import { StreamError } from '../turn/errors.js';
import type { ResponseItem, RestartingEvent, ToolCallItem } from '../turn/events.js';
import { restartingNow } from '../turn/restarting-now.js';
import { isOpen, lastStep, type Run, type RunStep } from './run.js';
import { callItem, stepItems } from './run-items.js';
import type { Tool } from './tool.js';

/** Where a run goes on that somebody else began. */
export interface Resumption {
  /** What it has added to the conversation, its last turn's answer and tools aside. */
  readonly items: readonly ResponseItem[];
  /** How many of its turns are complete. */
  readonly turns: number;
  /** Whether its last turn is complete, or it has tools alone: what comes next are tools. */
  readonly isAtTools: boolean;
  /** Whether its last turn was cut: what came of it is void. */
  readonly isCut: boolean;
  /** Calls that may be executed. */
  readonly open: readonly ToolCallItem[];
  /** Calls that were started, and may not be started again. */
  readonly lost: readonly ToolCallItem[];
  /** Calls that were cut while the model wrote them, of which it was not told yet. */
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

/** The calls of a turn that were cut, those aside of which the model was told. */
export function cutCallsOf({ turn, tools }: RunStep): readonly ToolCallItem[] {
  const told = new Set(tools.map(({ callId }) => callId));
  return turn.toolCalls.filter(({ item, callId }) => item === undefined && !told.has(callId)).map(callItem);
}

/** What is in the prompt before the tools of the last turn are executed. */
const itemsBefore = (step: RunStep, place: number, steps: readonly RunStep[]): readonly ResponseItem[] => [
  ...step.input,
  ...(place < steps.length - 1 ? stepItems(step) : []),
];

/** Takes back what came of the turn that was cut. */
export const cutTurn = (): RestartingEvent =>
  restartingNow(1, new StreamError({ message: 'The run was resumed in the middle of an answer.' }));
