import {
  catchError,
  concat,
  defaultIfEmpty,
  defer,
  EMPTY,
  map,
  mergeMap,
  type Observable,
  of,
  take,
  throwError,
} from 'rxjs';
import type { ToolCallItem } from '../turn/events.js';
import type { ToolEvent } from '../turn/run-events.js';
import { type SchemaIssue, validate } from '../turn/schema.js';
import { ToolError } from '../turn/tool-error.js';
import { parseJson } from '../turn/wire.js';
import type { ApprovalDecision, CallOptions } from './call-options.js';
import type { Tool } from './tool.js';
import { failed, finished } from './tool-finished.js';
import { decisionsOf } from './values-of.js';

/** A call that is ready to be executed. */
export interface ReadyCall {
  readonly call: ToolCallItem;
  readonly tool: Tool;
  /** The tool's arguments. */
  readonly args: unknown;
  /** The arguments with which an approval replaced the model's. */
  readonly changed?: unknown;
}

/**
 * Emits a call with validated arguments once it is approved, or its `tool_finished` if it fails. Empty if it
 * stays pending.
 */
export function readyCall(call: ToolCallItem, options: CallOptions): Observable<ToolEvent | ReadyCall> {
  const tool = options.tools.get(call.name);
  if (tool === undefined) {
    const known = [...options.tools.keys(), ...options.ownTools].join(', ') || 'none';
    return failed(
      call,
      new ToolError('unknown_tool', call),
      options,
      `There is no tool of this name. Available: ${known}.`,
    );
  }
  const checked = argumentsFor(tool, call, () => argumentsOf(tool, call)).pipe(
    mergeMap((args) =>
      needsApproval(tool, call, args).pipe(map((isNeeded) => ({ ready: { call, tool, args }, isNeeded }))),
    ),
  );
  // An error of the run's `approve` passes: there is no decision.
  return checked.pipe(
    map(({ ready, isNeeded }) => (isNeeded ? approved(ready, options) : of(ready))),
    catchError((error: unknown) => of(failed(call, error as ToolError, options))),
    mergeMap((step) => step),
  );
}

/** The model's arguments. Some models write nothing, or `null`, if there are none. */
function argumentsOf({ input }: Tool, call: ToolCallItem): unknown {
  const text = call.type === 'custom_tool_call' ? call.input : call.arguments;
  if (input === 'text') return text;
  return /^\s*(?:null\s*)?$/.test(text) ? {} : parseJson(text);
}

/** The arguments, if the tool accepts them. */
function argumentsFor(tool: Tool, call: ToolCallItem, given: () => unknown): Observable<unknown> {
  const refused = (...issues: readonly SchemaIssue[]) =>
    throwError(() => new ToolError('invalid_arguments', call, { issues }));
  const { input } = tool;
  return defer(() => {
    const args = given();
    if (input === 'text')
      return typeof args === 'string'
        ? of({ value: args })
        : refused({ message: 'The input is not a string.' });
    return args === undefined
      ? refused({ message: 'The arguments are not JSON.' })
      : validate(input, args).pipe(take(1));
  }).pipe(
    mergeMap((result) => ('issues' in result ? refused(...result.issues) : of(result.value))),
    // Too many values to parse, or a schema that throws.
    catchError((cause: unknown) => {
      throw cause instanceof ToolError ? cause : new ToolError('invalid_arguments', call, { cause });
    }),
  );
}

/** Whether a call needs approval: it does unless its tool says `false`. */
function needsApproval({ approve }: Tool, call: ToolCallItem, args: unknown): Observable<boolean> {
  if (typeof approve !== 'function') return of(approve);
  return defer(() => decisionsOf<unknown>(approve(args as never))).pipe(
    take(1),
    map((needed) => needed !== false),
    defaultIfEmpty(true),
    catchError((cause: unknown) => {
      throw new ToolError('failed', call, { cause });
    }),
  );
}

/** Asks for a decision. */
function approved(ready: ReadyCall, options: CallOptions): Observable<ToolEvent | ReadyCall> {
  const { call, tool } = ready;
  const { approve } = options;
  const decided = defer(() => (approve === undefined ? EMPTY : decisionsOf(approve(call)))).pipe(
    take(1),
    map(decisionOf),
    mergeMap((decision): Observable<ToolEvent | ReadyCall> => {
      const { arguments: changed, reason } = decision;
      if (!decision.approved) return of(rejected(call, reason));
      if (changed === undefined) return of(ready);
      return argumentsFor(tool, call, () => changed).pipe(
        map((args) => ({ call, tool, args, changed })),
        catchError((error: unknown) => failed(call, error as ToolError, options)),
      );
    }),
  );
  return concat(of<ToolEvent>({ type: 'approval_requested', call }), decided);
}

/** Only an explicit approval counts. */
function decisionOf(given: unknown): ApprovalDecision {
  if (typeof given !== 'object' || given === null) return { approved: given === true };
  const { approved: isApproved, reason, arguments: changed } = given as Record<string, unknown>;
  return {
    approved: isApproved === true,
    reason: typeof reason === 'string' ? reason : undefined,
    arguments: changed,
  };
}

/** Not an error of the run, even with `toolError: 'fail'`: it is a decision. */
const rejected = (call: ToolCallItem, reason = ''): ToolEvent =>
  finished(
    call,
    reason === '' ? 'The user rejected this call.' : `The user rejected this call: ${reason}`,
    0,
    new ToolError('rejected', call),
  );
