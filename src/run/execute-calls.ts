import {
  catchError,
  concat,
  connect,
  defer,
  EMPTY,
  filter,
  from,
  ignoreElements,
  isObservable,
  map,
  merge,
  mergeMap,
  type Observable,
  type ObservableInput,
  of,
  type SchedulerLike,
  take,
  takeUntil,
  tap,
  throwError,
} from 'rxjs';
import { timerOf } from '../flow/timers.js';
import { propertyOf } from '../turn/errors.js';
import type { ToolCallItem, ToolOutput } from '../turn/events.js';
import type { ToolEvent, ToolFinishedEvent } from '../turn/run-events.js';
import { describeIssues, validate } from '../turn/schema.js';
import { ToolError } from '../turn/tool-error.js';
import { parseJson } from '../turn/wire.js';
import { type Tool, ToolProgress } from './tool.js';
import { toolOutput } from './tool-output.js';

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

export interface CallOptions {
  readonly tools: ReadonlyMap<string, Tool>;
  /** Names of tools that the application executes itself. */
  readonly ownTools: ReadonlySet<string>;
  readonly concurrency: number;
  readonly toolTimeout: number;
  readonly approve: Approve | undefined;
  readonly beforeTool: ((call: ToolCallItem) => ObservableInput<unknown>) | undefined;
  readonly toolError: 'tell' | 'fail';
  readonly scheduler: SchedulerLike;
}

/** A call that may be executed now. */
interface Ready {
  readonly call: ToolCallItem;
  readonly tool: Tool;
  readonly args: unknown;
  /** Set where the approval changed the arguments. */
  readonly isChanged: boolean;
}

/**
 * Executes the calls of a turn, up to `concurrency` of them together. Approvals are asked for at once, and do not count.
 * A call that is left pending emits no `tool_finished`.
 *
 * ```
 * calls    (ab|)
 *          a executes --1--2|, b executes -3|
 * result   (AB)-(3)---1--(2|)          A, B: tool_started; 1: tool_progress; 2, 3: tool_finished
 * ```
 */
export function executeCalls(calls: readonly ToolCallItem[], options: CallOptions): Observable<ToolEvent> {
  return from(calls).pipe(
    filter(({ name }) => !options.ownTools.has(name)),
    mergeMap((call) => readyCall(call, options)),
    connect((steps) =>
      merge(
        steps.pipe(filter(isEvent)),
        steps.pipe(
          filter(isReady),
          mergeMap((ready) => execute(ready, options), options.concurrency),
        ),
      ),
    ),
  );
}

/** Tells the model that its calls were cut while it wrote them. */
export const cutCalls = (
  calls: readonly ToolCallItem[],
  options: CallOptions,
): Observable<ToolFinishedEvent> =>
  from(calls).pipe(
    mergeMap((call) =>
      failed(
        call,
        new ToolError('incomplete_arguments', call),
        'The call was cut off before its arguments were complete, so it was not executed. Repeat it, with shorter arguments if they were long.',
        options,
      ),
    ),
  );

/** Tells the model of calls that were started by somebody who has gone. */
export const lostCalls = (
  calls: readonly ToolCallItem[],
  options: CallOptions,
): Observable<ToolFinishedEvent> =>
  from(calls).pipe(
    mergeMap((call) =>
      failed(
        call,
        new ToolError('outcome_unknown', call),
        'The tool was started, then the connection to it was lost. Whether it took effect is not known: find out before you call it again.',
        options,
      ),
    ),
  );

const isReady = (step: ToolEvent | Ready): step is Ready => 'tool' in step;
const isEvent = (step: ToolEvent | Ready): step is ToolEvent => !('tool' in step);

/** The call with its arguments, once it is approved; or what is told of it instead. */
function readyCall(call: ToolCallItem, options: CallOptions): Observable<ToolEvent | Ready> {
  const tool = options.tools.get(call.name);
  if (tool === undefined) {
    const known = [...options.tools.keys(), ...options.ownTools].join(', ');
    const text = `There is no tool of this name. Available: ${known === '' ? 'none' : known}.`;
    return failed(call, new ToolError('unknown_tool', call), text, options);
  }
  return argumentsFor(tool, call, argumentsOf(call)).pipe(
    mergeMap((args) =>
      needsApproval(tool, call, args).pipe(
        mergeMap((isNeeded) =>
          isNeeded ? approved(tool, call, args, options) : of(ready(tool, call, args)),
        ),
      ),
    ),
    catchError((error: unknown) => {
      if (error instanceof ToolError) return failed(call, error, saying(error), options);
      throw error;
    }),
  );
}

const ready = (tool: Tool, call: ToolCallItem, args: unknown, isChanged = false): Ready => ({
  call,
  tool,
  args,
  isChanged,
});

/** Some models write nothing where there are no arguments. */
const argumentsOf = (call: ToolCallItem): unknown => {
  if (call.type === 'custom_tool_call') return call.input;
  return call.arguments.trim() === '' ? {} : parseJson(call.arguments);
};

/** The arguments by the tool's schema. */
function argumentsFor(tool: Tool, call: ToolCallItem, args: unknown): Observable<unknown> {
  const { input } = tool;
  if (input === 'text') {
    const text = typeof args === 'string' ? args : '';
    return of(text);
  }
  if (args === undefined)
    return throwError(
      () =>
        new ToolError('invalid_arguments', call, { issues: [{ message: 'The arguments are not JSON.' }] }),
    );
  return validate(input, args).pipe(
    take(1),
    catchError((cause: unknown) => {
      throw new ToolError('invalid_arguments', call, { cause });
    }),
    map((result) => {
      if ('issues' in result) throw new ToolError('invalid_arguments', call, { issues: result.issues });
      return result.value;
    }),
  );
}

function needsApproval(tool: Tool, call: ToolCallItem, args: unknown): Observable<boolean> {
  const { approve } = tool;
  if (typeof approve !== 'function') return of(approve);
  return defer(() => valuesOf(approve(args as never))).pipe(
    take(1),
    map(Boolean),
    catchError((cause: unknown) => {
      throw new ToolError('failed', call, { cause });
    }),
  );
}

/** Asks for a decision. An error of it ends the run: nobody has decided. */
function approved(
  tool: Tool,
  call: ToolCallItem,
  args: unknown,
  options: CallOptions,
): Observable<ToolEvent | Ready> {
  const { approve } = options;
  const decisions = defer(() => (approve === undefined ? EMPTY : valuesOf(approve(call)))).pipe(
    take(1),
    mergeMap((given): Observable<ToolEvent | Ready> => {
      const decision = decisionOf(given);
      if (!decision.approved) return rejected(call, decision.reason);
      if (decision.arguments === undefined) return of(ready(tool, call, args));
      return argumentsFor(tool, call, decision.arguments).pipe(
        map((changed) => ready(tool, call, changed, true)),
      );
    }),
  );
  return concat(of<ToolEvent>({ type: 'approval_requested', call }), decisions);
}

/** Only what says so approves. */
function decisionOf(given: unknown): ApprovalDecision {
  if (typeof given !== 'object' || given === null) return { approved: given === true };
  const { approved: isApproved, reason, arguments: args } = given as Record<string, unknown>;
  return {
    approved: isApproved === true,
    reason: typeof reason === 'string' ? reason : undefined,
    arguments: args,
  };
}

const rejected = (call: ToolCallItem, reason = ''): Observable<ToolFinishedEvent> =>
  of(
    finished(
      call,
      reason === '' ? 'The user rejected this call.' : `The user rejected this call: ${reason}`,
      0,
      {
        error: new ToolError('rejected', call),
      },
    ),
  );

/** One execution: it starts, perhaps progresses, and finishes. */
function execute({ call, tool, args, isChanged }: Ready, options: CallOptions): Observable<ToolEvent> {
  const { scheduler } = options;
  const { call_id: callId } = call;
  return defer(() => {
    const startedAt = scheduler.now();
    const limit = tool.timeout ?? options.toolTimeout;
    const controller = new AbortController();
    const timedOut = timerOf(limit, scheduler).pipe(
      map(() => {
        throw new ToolError('timeout', call);
      }),
    );
    const isAllowed = defer(() => options.beforeTool?.(call) ?? EMPTY).pipe(take(1), ignoreElements());
    let last: unknown;
    let hasLast = false;
    const progress = defer(() =>
      valuesOf(tool.execute(args as never, { callId, signal: controller.signal })),
    ).pipe(
      tap({ unsubscribe: () => controller.abort() }),
      mergeMap((value): Observable<ToolEvent> => {
        if (value instanceof ToolProgress) return of({ type: 'tool_progress', callId, value: value.value });
        const before = last;
        const hadLast = hasLast;
        last = value;
        hasLast = true;
        return hadLast ? of({ type: 'tool_progress', callId, value: before }) : EMPTY;
      }),
      takeUntil(timedOut),
    );
    const end = defer(() => {
      const output = toolOutput(last);
      return of(finished(call, isChanged ? withNotice(output, args) : output, scheduler.now() - startedAt));
    });
    return concat(
      of<ToolEvent>({ type: 'tool_started', call, ...(isChanged && { arguments: args }) }),
      concat(isAllowed, progress, end).pipe(
        catchError((cause: unknown) => {
          const error = cause instanceof ToolError ? cause : new ToolError('failed', call, { cause });
          return failed(call, error, saying(error, limit), options, scheduler.now() - startedAt);
        }),
      ),
    );
  });
}

/** The call in the conversation stays as the model wrote it: what it is signed with holds for that alone. */
function withNotice(output: ToolOutput, args: unknown): ToolOutput {
  const notice = `The user changed the arguments of this call to ${JSON.stringify(args)}. Its output:`;
  return typeof output === 'string'
    ? `${notice}\n${output}`
    : [{ type: 'input_text', text: notice }, ...output];
}

/** What a model is told of a call that failed. */
function saying(error: ToolError, limit = Infinity): string {
  switch (error.code) {
    case 'timeout':
      return `The tool did not finish within ${limit} ms.`;
    case 'invalid_arguments':
      return `The arguments do not match the tool's schema.\n${describeIssues(error.issues)}`.trimEnd();
    default: {
      const message = propertyOf(error.cause, 'message');
      return typeof message === 'string' && message !== ''
        ? `The tool failed: ${message.slice(0, longestMessage)}`
        : 'The tool failed.';
    }
  }
}

const longestMessage = 2_000;

function failed(
  call: ToolCallItem,
  error: ToolError,
  output: string,
  { toolError }: CallOptions,
  duration = 0,
): Observable<ToolFinishedEvent> {
  return toolError === 'fail' ? throwError(() => error) : of(finished(call, output, duration, { error }));
}

const finished = (
  call: ToolCallItem,
  output: ToolOutput,
  duration: number,
  failure: { readonly error?: ToolError } = {},
): ToolFinishedEvent => ({ type: 'tool_finished', callId: call.call_id, output, duration, ...failure });

/** What was returned, as values: an Observable, a promise or an async iterable of them, or one value. */
function valuesOf<T>(returned: ObservableInput<T> | T): Observable<T> {
  return isSource(returned) ? from(returned as ObservableInput<T>) : of(returned as T);
}

/** Lists and texts are values, although RxJS would take them for many. */
function isSource(returned: unknown): boolean {
  if (isObservable(returned)) return true;
  if (typeof returned !== 'object' || returned === null) return false;
  return (
    isFunction(propertyOf(returned, 'then')) ||
    isFunction(propertyOf(returned, 'getReader')) ||
    Symbol.asyncIterator in returned ||
    '@@observable' in returned ||
    (Symbol.iterator in returned && isFunction(propertyOf(returned, 'next')))
  );
}

const isFunction = (value: unknown): boolean => typeof value === 'function';
