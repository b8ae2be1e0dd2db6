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
  queueScheduler,
  repeat,
  scheduled,
  type SchedulerLike,
  take,
  takeWhile,
  tap,
} from 'rxjs';
import { monotonicClock } from '../flow/monotonic-clock.js';
import { checkLimit } from '../flow/timers.js';
import { itemOf } from '../prompt/messages.js';
import { type InputItem, type Prompt, promptOf } from '../prompt/prompt.js';
import type { ToolDefinition } from '../prompt/tools.js';
import { propertyOf } from '../turn/errors.js';
import type { ResponseEvent, ResponseItem, ToolCallItem } from '../turn/events.js';
import type { RunCompletedEvent, RunEndReason, RunEvent } from '../turn/run-events.js';
import { isRecord, stringOf } from '../turn/wire.js';
import type { Approve, CallOptions } from './call-options.js';
import { cutCalls, executeCalls, lostCalls } from './execute-calls.js';
import { openCalls } from './open-calls.js';
import { cutCallsOf, cutTurn, type Resumption, resumptionOf } from './resume.js';
import { emptyRun, isOpen, lastStep, type Run, type RunStep } from './run.js';
import { runFold } from './run-fold.js';
import { runItems, stepItems } from './run-items.js';
import type { Tool } from './tool.js';
import { decisionsOf } from './values-of.js';

/** A turn that is about to start. */
export interface Step {
  /** Its number; the first is 1. */
  readonly step: number;
  /** The prompt of the turn. */
  readonly prompt: Prompt;
  /** The run so far. */
  readonly run: Run;
}

export interface RunToolsOptions {
  /**
   * Returns one turn for a prompt and its number, counted from 1: `streamChatCompletions()`, with any restart
   * or fallback operators, so that a restart never runs a tool twice.
   */
  readonly turn: (prompt: Prompt, step: number) => ObservableInput<ResponseEvent>;
  /**
   * The tools for the model, in addition to the prompt's `tools`. A call of one of the prompt's tools ends the
   * run as `'pending'`: the application executes it.
   */
  readonly tools: readonly Tool[];
  /** The maximum number of turns. Default 8. */
  readonly maxTurns?: number | undefined;
  /** How many tools execute at the same time. Default `Infinity`. */
  readonly concurrency?: number | undefined;
  /** Maximum duration of a tool in milliseconds, unless the tool sets its own. Default `Infinity`. */
  readonly toolTimeout?: number | undefined;
  /**
   * Decides on calls of tools that need approval: `true`, or `{ approved, reason?, arguments? }`. Completing
   * without a value leaves the call pending, and so does leaving `approve` out. An error ends the run.
   */
  readonly approve?: Approve | undefined;
  /**
   * Called before each turn, which waits for the result: another prompt for this and later turns (with a new
   * user message, or a shorter conversation), `'stop'`, or no value to continue.
   */
  readonly beforeTurn?:
    ((step: Step) => ObservableInput<Prompt | 'stop'> | Prompt | 'stop' | undefined) | undefined;
  /**
   * Called with each call after its `tool_started`; the tool waits for its first value or completion. For a log
   * that must be written first: `beforeTool: () => written`. An error fails the call.
   */
  readonly beforeTool?: ((call: ToolCallItem) => ObservableInput<unknown>) | undefined;
  /**
   * A run so far, from the same prompt, as emitted by `accumulateRun()`: this run continues it. Outputs are
   * kept, and complete turns are not repeated; a turn that was cut off is repeated, after a `restarting`. A
   * tool that was started but did not end is not started again unless it is `idempotent`: the model is told
   * that its outcome is unknown. `run_completed` is for the whole run.
   */
  readonly resume?: Run | undefined;
  /** Whether a failed call is reported to the model, or ends the run with its `ToolError`. Default `'tell'`. */
  readonly toolError?: 'tell' | 'fail' | undefined;
  /** Times `toolTimeout` and durations. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Runs turns and executes the tools that the model calls, until it answers without calling one.
 *
 * Emits the events of each turn, and those between turns: `approval_requested`, `tool_started`,
 * `tool_progress`, `tool_finished`; finally `run_completed`, whose `items` you append to the conversation.
 * Tools start when their turn is complete, and execute concurrently. Their outputs are sent back in the order
 * of the calls, with the provider-specific fields.
 *
 * Unknown tools, invalid arguments, timeouts and failures are reported to the model as the output of the call.
 * An error of a turn passes. Unsubscribing aborts the request, or unsubscribes from the tools and aborts their
 * `signal`.
 *
 * If the prompt ends with calls without outputs, for example after a run that ended `'pending'`, the run begins
 * with the tools.
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
 * @throws TypeError for options of the wrong type, and for two tools with the same name
 */
export function runTools(prompt: Prompt | string, options: RunToolsOptions): Observable<RunEvent> {
  const { turn: turnOf, beforeTurn, maxTurns = 8 } = options;
  if (typeof turnOf !== 'function') throw new TypeError('options.turn must be a function.');
  if (beforeTurn !== undefined && typeof beforeTurn !== 'function')
    throw new TypeError('options.beforeTurn must be a function.');
  checkLimit('maxTurns', maxTurns);
  const tools = toolsByName(options.tools);
  const asked = promptWith(prompt, tools);
  const callOptions = callOptionsOf(tools, options);

  return defer(() => {
    const left = openCalls(asked.input);
    // Durations are never negative, even if the clock is changed.
    const scheduler = monotonicClock(callOptions.scheduler);
    const fold = runFold(options.resume ?? emptyRun);
    const begun = resumptionOf(fold.run, tools);
    let next: Prompt = { ...asked, input: [...asked.input, ...begun.items] };
    let { turns } = begun;
    let { reason } = fold.run;
    if (reason !== undefined) return EMPTY;

    const unlessOver = (work: () => Observable<RunEvent>) =>
      defer(() => (reason === undefined ? work() : EMPTY));

    const boundary = unlessOver(() =>
      decisionsOf(beforeTurn?.({ step: turns + 1, prompt: next, run: fold.run })).pipe(
        take(1),
        mergeMap((given): readonly RunEvent[] => {
          if (given === undefined) return [];
          if (given === 'stop') {
            reason = 'stopped';
            return [];
          }
          if (!Array.isArray(propertyOf(given, 'input')))
            throw new TypeError(
              "options.beforeTurn must return 'stop', nothing, or a prompt whose input is an array of items.",
            );
          const items = itemsAdded(next.input, given.input);
          next = given;
          return items.length === 0 ? [] : [{ type: 'input_added', items }];
        }),
      ),
    );

    const turn = unlessOver(() => {
      turns += 1;
      // A turn that completes without `completed` was stopped.
      reason = 'stopped';
      return from(turnOf(next, turns)).pipe(takeWhile(({ type }) => type !== 'completed', true));
    });

    const calls = unlessOver(() => {
      const step = lastStep(fold.run);
      const cut = cutCallsOf(step);
      const whole = step.tools.flatMap(({ call }) => call ?? []);
      if (whole.length + cut.length > 0) return execute({ open: whole, cut });
      reason = 'answered';
      return EMPTY;
    });

    const execute = ({ open, cut = [], lost = [] }: Calls) => {
      const current = { ...callOptions, ownTools: ownTools(next, tools), scheduler };
      return concat(lostCalls(lost, current), cutCalls(cut, current), executeCalls(open, current)).pipe(
        tap({
          complete: () => {
            const step = lastStep(fold.run);
            next = { ...next, input: [...next.input, ...stepItems(step)] };
            if (step.tools.some(isOpen)) reason = 'pending';
            else if (turns >= maxTurns) reason = 'max_turns';
          },
        }),
      );
    };

    /** The calls that an earlier run, or this one, left open. */
    const rest = (): Observable<RunEvent> => {
      if (fold.run.steps.length === 0)
        return left.length === 0
          ? EMPTY
          : concat(of<RunEvent>({ type: 'run_resumed', calls: left }), execute({ open: left }));
      if (begun.isAtTools) return isAnswer(lastStep(fold.run)) ? calls : execute(begun);
      return begun.isCut ? of(cutTurn()) : EMPTY;
    };

    return concat(
      unlessOver(rest),
      // Not expand(), which takes fifteen times as long for many events, nor nested concat(), which grows with the turns.
      unlessOver(() => concat(boundary, turn, calls)).pipe(
        // On a trampoline: synchronous turns must not overflow the stack.
        repeat({ delay: () => (reason === undefined ? scheduled([true], queueScheduler) : EMPTY) }),
      ),
      defer(() => of(runCompleted(fold.run, reason, turns))),
    ).pipe(
      tap((event) => {
        fold.push(event);
        if (event.type === 'completed' && event.stopped !== true) reason = undefined;
      }),
    );
  });
}

/** Calls to execute, and those only to report to the model. */
type Calls = Pick<Resumption, 'open'> & Partial<Pick<Resumption, 'cut' | 'lost'>>;

const isAnswer = ({ turn, tools }: RunStep): boolean => turn.toolCalls.length + tools.length === 0;

function runCompleted(run: Run, reason: RunEndReason = 'answered', turns: number): RunCompletedEvent {
  const { usage } = run;
  const items = runItems(reason === 'pending' ? { ...run, status: 'pending' } : run);
  return { type: 'run_completed', reason, items, usage, turns };
}

function callOptionsOf(
  tools: ReadonlyMap<string, Tool>,
  options: RunToolsOptions,
): Omit<CallOptions, 'ownTools'> {
  const {
    concurrency = Infinity,
    toolTimeout = Infinity,
    approve,
    beforeTool,
    toolError = 'tell',
    scheduler = asyncScheduler,
  } = options;
  if (approve !== undefined && typeof approve !== 'function')
    throw new TypeError('options.approve must be a function.');
  if (toolError !== 'tell' && toolError !== 'fail')
    throw new TypeError("options.toolError must be 'tell' or 'fail'.");
  checkLimit('concurrency', concurrency);
  checkLimit('toolTimeout', toolTimeout);
  return { tools, concurrency, toolTimeout, approve, beforeTool, toolError, scheduler };
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

/** The prompt with the run's tools added. */
function promptWith(prompt: Prompt | string, tools: ReadonlyMap<string, Tool>): Prompt {
  const asked = promptOf(prompt);
  const own = asked.tools ?? [];
  const twice = own.map(nameOf).find((name) => tools.has(name));
  if (twice !== undefined)
    throw new TypeError(`The prompt and options.tools both have a tool named "${twice}".`);
  return { ...asked, tools: [...own, ...Array.from(tools.values(), ({ definition }) => definition)] };
}

/** The names of the prompt's tools, which the application executes. */
const ownTools = ({ tools: told = [] }: Prompt, tools: ReadonlyMap<string, Tool>): ReadonlySet<string> =>
  new Set(told.map(nameOf).filter((name) => name !== '' && !tools.has(name)));

/** The name of a tool, in either format. */
function nameOf(definition: ToolDefinition): string {
  const fields: Readonly<Record<string, unknown>> = { ...definition };
  const nested = fields[definition.type];
  return stringOf(fields['name'] ?? (isRecord(nested) ? nested['name'] : undefined));
}

/** The items that a prompt adds to the previous one; none if it was rewritten. */
function itemsAdded(before: readonly InputItem[], after: readonly InputItem[]): readonly ResponseItem[] {
  const isSame = before.every((item, place) => item === after[place]);
  return isSame ? after.slice(before.length).map((item, place) => itemOf(item, before.length + place)) : [];
}
