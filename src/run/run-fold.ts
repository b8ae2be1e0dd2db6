import type { RunEvent } from '../turn/run-events.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn/turn.js';
import {
  callIdOf,
  lastStep,
  newTool,
  openTurn,
  reduceRun,
  type Run,
  type RunTool,
  toolAfter,
  withTools,
  withTurn,
} from './run.js';

/** A run so far, built on request. */
export interface RunFold {
  readonly push: (event: RunEvent) => void;
  readonly run: Run;
}

/**
 * The result of {@link reduceRun}, built on request: an event of a turn only updates that turn, and an event of
 * a tool only that tool.
 */
export function runFold(start: Run): RunFold {
  let run = start;
  /** The turn, or the tools by call, that are not in the run yet. */
  let turn: Turn | undefined;
  let tools: Map<string, RunTool> | undefined;

  const settle = (): Run => {
    if (turn !== undefined) run = withTurn(run, turn);
    if (tools !== undefined) run = withTools(run, [...tools.values()]);
    turn = tools = undefined;
    return run;
  };

  return {
    push: (event) => {
      switch (event.type) {
        case 'output_item_done':
        case 'function_call_arguments_delta':
          turn = reduceTurn(turn ?? openTurn(settle()) ?? emptyTurn, event);
          break;
        case 'approval_requested':
        case 'tool_started':
        case 'tool_progress':
        case 'tool_finished': {
          tools ??= new Map(lastStep(settle()).tools.map((tool) => [tool.callId, tool]));
          const callId = callIdOf(event);
          tools.set(callId, toolAfter(tools.get(callId) ?? newTool(callId), event));
          break;
        }
        default:
          run = reduceRun(settle(), event);
      }
    },
    get run() {
      return settle();
    },
  };
}
