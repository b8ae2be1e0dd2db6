import {
  asyncScheduler,
  concat,
  defer,
  EMPTY,
  from,
  mergeMap,
  type Observable,
  type ObservableInput,
  of,
  repeat,
  type SchedulerLike,
  take,
  takeWhile,
  tap,
} from 'rxjs';
import { checkLimit } from '../flow/timers.js';
import { itemOf } from '../prompt/messages.js';
import { type InputItem, type Prompt, userMessage } from '../prompt/prompt.js';
import type { ToolDefinition } from '../prompt/tools.js';
import type { ResponseEvent, ResponseItem, ToolCallItem } from '../turn/events.js';
import type { InputAddedEvent, RunCompletedEvent, RunEndReason, RunEvent } from '../turn/run-events.js';
import { isRecord } from '../turn/wire.js';
import { type Approve, type CallOptions, cutCalls, executeCalls } from './execute-calls.js';
import { openCalls } from './open-calls.js';
import { emptyRun, emptyStep, isOpen, reduceRun, type Run, resumedRun } from './run.js';
import { callItem, runItems, stepItems } from './run-items.js';
import type { Tool } from './tool.js';

/** A turn that is about to be asked for. */
export interface Step {
  /** Its number; the first is 1. */
  readonly step: number;
  /** What it will be asked. */
  readonly prompt: Prompt;
  /** What has happened so far. */
  readonly run: Run;
}

export interface RunToolsOptions {
  /**
   * One turn, from its prompt and its number, which counts from 1: `streamChatCompletions()` and what makes it survive,
   * so that a restart never runs a tool twice.
   */
  readonly turn: (prompt: Prompt, step: number) => ObservableInput<ResponseEvent>;
  /**
   * The model is told of these, beside the prompt's own `tools`. A call of one of the prompt's own ends the run as
   * `'pending'`: the application executes it.
   */
  readonly tools: readonly Tool[];
  /** How many turns a run may take. Default 8. */
  readonly maxTurns?: number | undefined;
  /** How many tools execute together. Default `Infinity`. */
  readonly concurrency?: number | undefined;
  /** Milliseconds until a tool must be done, where it does not say itself. Default `Infinity`. */
  readonly toolTimeout?: number | undefined;
  /**
   * Decides about calls of tools that need approval: `true`, or `{ approved, reason?, arguments? }`. To complete without
   * a value leaves a call pending, and so does an `approve` that is not given. An error ends the run.
   */
  readonly approve?: Approve | undefined;
  /**
   * Called before each turn, and waited for: another prompt for this turn and those after it (what a user wrote
   * meanwhile, a shorter conversation), `'stop'`, or no value to go on.
   */
  readonly beforeTurn?: ((step: Step) => ObservableInput<Prompt | 'stop'>) | undefined;
  /** Whether a call that fails is told to the model, or ends the run with its `ToolError`. Default `'tell'`. */
  readonly toolError?: 'tell' | 'fail' | undefined;
  /** For `toolTimeout` and durations. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Runs turns with tools between them, until the model answers without calling one.
 *
 * Emits the events of each turn as they come, and what happens between turns: `approval_requested`, `tool_started`,
 * `tool_progress`, `tool_finished`; last `run_completed`, whose `items` are appended to the conversation. Tools start
 * when their turn is complete, and execute together. Their outputs go back in the order of the calls, with whatever else
 * the provider wants back.
 *
 * Unknown tools, arguments that do not match, timeouts and failures are told to the model as the output of the call. An
 * error of a turn passes. Unsubscribing aborts the request, or unsubscribes from the tools and aborts their `signal`.
 *
 * A prompt that ends with calls without outputs, such as one stored after a run that ended `'pending'`, begins with
 * the tools.
 *
 * ```
 * turn 1   --Let--me--see--(call completed|)
 * tool                      ---72|
 * turn 2                          --It--is--72--(completed|)
 *          runTools(prompt, { turn, tools })
 * result   --Let--me--see--(csS)--f---It--is--72--(cR|)
 * ```
 *
 * s: `tool_started`, f: `tool_finished`, R: `run_completed`
 *
 * @example
 * ```ts
 * runTools('How is the weather in Rome?', {
 *   turn: (prompt) => streamChatCompletions(prompt, options).pipe(restartOnBreak()),
 *   tools: [weather],
 * })
 *   .pipe(textDeltas())
 *   .subscribe(show);
 * ```
 *
 * @throws TypeError for options of the wrong kind, and for two tools of one name
 */
export function runTools(prompt: Prompt | string, options: RunToolsOptions): Observable<RunEvent> {
  const { maxTurns = 8, scheduler = asyncScheduler, beforeTurn } = options;
  checkLimit('maxTurns', maxTurns);
  checkLimit('concurrency', options.concurrency ?? Infinity);
  checkLimit('toolTimeout', options.toolTimeout ?? Infinity);
  if (typeof options.turn !== 'function') throw new TypeError('options.turn must be a function.');
  const first = promptWith(prompt, options.tools);
  const calls: CallOptions = {
    tools: toolsByName(options.tools),
    ownTools: typeof prompt === 'string' ? new Set() : namesOf(prompt.tools ?? []),
    concurrency: options.concurrency ?? Infinity,
    toolTimeout: options.toolTimeout ?? Infinity,
    approve: options.approve,
    toolError: options.toolError ?? 'tell',
    scheduler,
  };

  return defer(() => {
    let next = first;
    let run = emptyRun;
    let turns = 0;
    let isAnswered = false;
    let reason: RunEndReason | undefined;

    const note = (event: RunEvent): void => {
      run = reduceRun(run, event);
    };

    /** What `beforeTurn` makes of the next turn. */
    const before = defer(() =>
      from(beforeTurn?.({ step: turns + 1, prompt: next, run }) ?? EMPTY).pipe(
        take(1),
        mergeMap((given) => {
          if (given === 'stop') {
            reason = 'stopped';
            return EMPTY;
          }
          const items = itemsAdded(next.input, given.input);
          next = given;
          return items.length === 0 ? EMPTY : of<InputAddedEvent>({ type: 'input_added', items });
        }),
        tap(note),
      ),
    );

    const turn = defer(() => {
      if (reason !== undefined) return EMPTY;
      turns += 1;
      isAnswered = false;
      return from(options.turn(next, turns)).pipe(
        takeWhile(({ type }) => type !== 'completed', true),
        tap((event) => {
          isAnswered = event.type === 'completed' && event.stopped !== true;
          note(event);
        }),
      );
    });

    const execute = (whole: readonly ToolCallItem[], cut: readonly ToolCallItem[]): Observable<RunEvent> =>
      concat(
        concat(cutCalls(cut, calls), executeCalls(whole, calls)).pipe(tap(note)),
        defer(() => {
          const step = run.steps.at(-1) ?? emptyStep;
          if (step.tools.some(isOpen)) reason = 'pending';
          else if (turns >= maxTurns) reason = 'max_turns';
          next = { ...next, input: [...next.input, ...stepItems(step)] };
          return EMPTY;
        }),
      );

    const toolsOfTurn = defer(() => {
      if (reason !== undefined) return EMPTY;
      // It ended without an end: somebody has stopped it.
      if (!isAnswered) reason = 'stopped';
      const { turn: answer, tools: called } = run.steps.at(-1) ?? emptyStep;
      const cut = answer.toolCalls.filter(({ item }) => item === undefined);
      if (reason === undefined && called.length + cut.length === 0) reason = 'answered';
      if (reason !== undefined) return EMPTY;
      return execute(
        called.flatMap(({ call }) => call ?? []),
        cut.map(callItem),
      );
    });

    const left = openCalls(first.input);
    const resumed = defer(() => {
      if (left.length === 0) return EMPTY;
      run = resumedRun(left);
      return execute(left, []);
    });
    const round = defer(() => (reason === undefined ? concat(before, turn, toolsOfTurn) : EMPTY));

    return concat(
      resumed,
      // Not expand(), which takes fifteen times as long for many events, nor nested concat(), which grows with the turns.
      round.pipe(repeat({ delay: () => (reason === undefined ? of(true) : EMPTY) })),
      defer(() => of(runCompleted(run, reason ?? 'answered', turns))),
    );
  });
}

function runCompleted(run: Run, reason: RunEndReason, turns: number): RunCompletedEvent {
  const { usage } = run;
  const items = runItems(reason === 'pending' ? { ...run, status: 'pending' } : run);
  return { type: 'run_completed', reason, items, usage, turns };
}

function toolsByName(tools: readonly Tool[]): ReadonlyMap<string, Tool> {
  if (!Array.isArray(tools)) throw new TypeError('options.tools must be an array of tools.');
  const byName = new Map<string, Tool>();
  for (const each of tools as readonly Tool[]) {
    if (typeof each?.execute !== 'function')
      throw new TypeError('options.tools must hold what tool() returns.');
    if (byName.has(each.name)) throw new TypeError(`options.tools has two tools named "${each.name}".`);
    byName.set(each.name, each);
  }
  return byName;
}

/** The prompt, whose model is told of the run's tools too. */
function promptWith(prompt: Prompt | string, tools: readonly Tool[]): Prompt {
  const asked: Prompt = typeof prompt === 'string' ? { input: [userMessage(prompt)] } : prompt;
  if (!Array.isArray(asked?.input))
    throw new TypeError('A prompt is a string, or an object whose input is an array of items.');
  return { ...asked, tools: [...(asked.tools ?? []), ...tools.map(({ definition }) => definition)] };
}

/** The names of the prompt's own tools, in either format. */
function namesOf(tools: readonly ToolDefinition[]): ReadonlySet<string> {
  const names = tools.map((each) => {
    const fields: Readonly<Record<string, unknown>> = { ...each };
    const nested = fields[each.type];
    return fields['name'] ?? (isRecord(nested) ? nested['name'] : undefined);
  });
  return new Set(names.filter((name) => typeof name === 'string'));
}

/** What a prompt has beyond the one before it; nothing where it was written anew. */
function itemsAdded(before: readonly InputItem[], after: readonly InputItem[]): readonly ResponseItem[] {
  const isSame = before.every((item, place) => item === after[place]);
  return isSame ? after.slice(before.length).map((item, place) => itemOf(item, before.length + place)) : [];
}
