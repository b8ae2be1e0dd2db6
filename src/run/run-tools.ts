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
import { StreamError } from '../turn/errors.js';
import type { ResponseEvent, ResponseItem, RestartingEvent, ToolCallItem } from '../turn/events.js';
import type { InputAddedEvent, RunCompletedEvent, RunEndReason, RunEvent } from '../turn/run-events.js';
import { isRecord } from '../turn/wire.js';
import { type Approve, type CallOptions, cutCalls, executeCalls, lostCalls } from './execute-calls.js';
import { openCalls } from './open-calls.js';
import {
  emptyRun,
  emptyStep,
  isOpen,
  reduceRun,
  type Run,
  resumedRun,
  type RunStep,
  type RunTool,
} from './run.js';
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
  /**
   * Called with each call once its `tool_started` was emitted, and waited for until its first value or its end: the tool
   * executes afterwards. For a log that must know first: `beforeTool: () => written`. An error is one of the tool.
   */
  readonly beforeTool?: ((call: ToolCallItem) => ObservableInput<unknown>) | undefined;
  /**
   * The run so far, from the same prompt, as `accumulateRun()` gives it: it goes on from there, and its events follow
   * those before. Outputs are kept, and turns are not asked twice; one that was cut is asked anew, after a `restarting`.
   * A tool that was started without an end is not started again, unless it is `idempotent`: the model is told that its
   * outcome is not known. The `run_completed` is that of the whole run.
   */
  readonly resume?: Run | undefined;
  /** Whether a call that fails is told to the model, or ends the run with its {@link ToolError}. Default `'tell'`. */
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
    beforeTool: options.beforeTool,
    toolError: options.toolError ?? 'tell',
    scheduler,
  };

  return defer(() => {
    let run = options.resume ?? emptyRun;
    let next: Prompt = { ...first, input: [...first.input, ...run.steps.flatMap(itemsBefore)] };
    let turns = run.steps.filter(({ turn: { status } }) => status === 'completed').length;
    let isAnswered = false;
    let reason = run.reason;

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
    /** The calls that an earlier run, or this one, has left open. */
    const resumed = defer((): Observable<RunEvent> => {
      const last = run.steps.at(-1);
      if (last === undefined || isOfEarlierRun(run)) {
        if (left.length === 0) return EMPTY;
        run = withTools(resumedRun(left), last?.tools ?? []);
        return resumeTools();
      }
      if (last.turn.status === 'completed') {
        isAnswered = true;
        return last.turn.toolCalls.length === 0 ? toolsOfTurn : resumeTools();
      }
      if (last.turn.status !== 'streaming') return EMPTY;
      return of<RunEvent>(restarting).pipe(tap(note));
    });
    function resumeTools(): Observable<RunEvent> {
      const { turn: answer, tools: called } = run.steps.at(-1) ?? emptyStep;
      const open = called.filter(isOpen);
      const isLost = ({ call, status }: RunTool): boolean =>
        status === 'running' && calls.tools.get(call?.name ?? '')?.idempotent !== true;
      const told = new Set(called.map(({ callId }) => callId));
      const cut = answer.toolCalls.filter(({ item, callId }) => item === undefined && !told.has(callId));
      return concat(
        lostCalls(callsOf(open.filter(isLost)), calls).pipe(tap(note)),
        execute(callsOf(open.filter((tool) => !isLost(tool))), cut.map(callItem)),
      );
    }
    const round = defer(() => (reason === undefined ? concat(before, turn, toolsOfTurn) : EMPTY));

    if (reason !== undefined) return EMPTY;
    return concat(
      resumed,
      // Not expand(), which takes fifteen times as long for many events, nor nested concat(), which grows with the turns.
      round.pipe(repeat({ delay: () => (reason === undefined ? of(true) : EMPTY) })),
      defer(() => of(runCompleted(run, reason ?? 'answered', turns))),
    );
  });
}

const restarting: RestartingEvent = /* @__PURE__ */ (() => ({
  type: 'restarting',
  attempt: 1,
  delay: 0,
  error: new StreamError({ message: 'The run was resumed in the middle of an answer.' }),
}))();

const callsOf = (tools: readonly RunTool[]): readonly ToolCallItem[] =>
  tools.flatMap(({ call }) => call ?? []);

/** What is in the prompt of the next turn before the tools of the last are executed. */
const itemsBefore = (step: RunStep, place: number, steps: readonly RunStep[]): readonly ResponseItem[] => [
  ...step.input,
  ...(place < steps.length - 1 ? stepItems(step) : []),
];

/** Whether all that there is are tools of calls that the prompt ended with. */
const isOfEarlierRun = ({ steps: [first, second] }: Run): boolean =>
  second === undefined && first?.turn.status === 'waiting' && first.tools.length > 0;

/** What became of calls already. */
function withTools(run: Run, tools: readonly RunTool[]): Run {
  const known = new Map(tools.map((tool) => [tool.callId, tool]));
  const steps = run.steps.map((step) => ({
    ...step,
    tools: step.tools.map((tool) => ({ ...tool, ...known.get(tool.callId), call: tool.call })),
  }));
  return { ...run, steps };
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
