import {
  type Attributes,
  type Context,
  INVALID_SPAN_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import type { ToolCallItem, ToolOutput } from '../turn/events.js';
import type { RunEvent, ToolFinishedEvent, ToolStartedEvent } from '../turn/run-events.js';
import { className } from '../turn/errors.js';
import { ToolError } from '../turn/tool-error.js';
import { writeJson } from '../turn/wire.js';
import { attribute, contentAttribute, functionTool, operation, own, runAttribute } from './names.js';
import { quietly } from './quietly.js';

export interface RunStart {
  readonly tracer: Tracer;
  readonly hasContent: boolean;
  readonly agentName: string | undefined;
  /** The subscriber's context. */
  readonly parent: Context;
  readonly now: () => number;
}

/** The spans of one run: one for the run, and one for each tool execution. */
export interface RunSpans {
  /** Spans started in it are children of the run's span. */
  readonly context: Context;
  /** The context of the tool that executes a call, if its span has begun. */
  contextOf(callId: string): Context | undefined;
  note(event: RunEvent): void;
  /** Ends all open spans. */
  end(
    end:
      | { readonly outcome: 'completed' | 'unsubscribed' }
      | { readonly outcome: 'error'; readonly error: unknown },
  ): void;
}

interface ToolSpan {
  readonly callId: string;
  readonly span: Span;
  readonly context: Context;
}

/** A call that waits for a decision. */
interface Waiting {
  readonly call: ToolCallItem;
  readonly since: number;
}

export function startRun({ tracer, hasContent, agentName, parent, now }: RunStart): RunSpans {
  const start = (name: string, attributes: Attributes, within: Context) => {
    const options = { attributes, startTime: new Date(now()) };
    const span =
      quietly(() => tracer.startSpan(name, options, within)) ?? trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    return { span, context: trace.setSpan(within, span) };
  };
  const finish = (span: Span, attributes: Attributes): void => {
    quietly(() => {
      span.setAttributes(attributes);
      if (attribute.errorType in attributes) span.setStatus({ code: SpanStatusCode.ERROR });
    });
    quietly(() => span.end(new Date(now())));
  };

  const run = start(
    agentName === undefined ? operation.invokeAgent : `${operation.invokeAgent} ${agentName}`,
    {
      [attribute.operationName]: operation.invokeAgent,
      ...(agentName !== undefined && { [runAttribute.agentName]: agentName }),
    },
    parent,
  );
  /** In the order in which they began. A provider may give two calls the same id. */
  const tools: ToolSpan[] = [];
  const waiting = new Map<string, Waiting>();
  let isCompleted = false;

  const tell = (name: string, attributes: Attributes): void =>
    void quietly(() => run.span.addEvent(name, attributes, new Date(now())));

  function decide(callId: string, isApproved: boolean): void {
    const asked = waiting.get(callId);
    if (asked === undefined) return;
    waiting.delete(callId);
    tell(own.approvalDecided, {
      ...identityOf(asked.call),
      [own.approved]: isApproved,
      [own.wait]: (now() - asked.since) / 1000,
    });
  }

  function started({ call, arguments: changed }: ToolStartedEvent): void {
    decide(call.call_id, true);
    const attributes = {
      [attribute.operationName]: operation.executeTool,
      ...identityOf(call),
      [runAttribute.toolType]: functionTool,
      ...(hasContent && { [contentAttribute.toolCallArguments]: argumentsOf(call, changed) }),
    };
    const begun = start(`${operation.executeTool} ${call.name}`, attributes, run.context);
    tools.push({ callId: call.call_id, ...begun });
  }

  function finished({ callId, output, error }: ToolFinishedEvent): void {
    const place = tools.findIndex((each) => each.callId === callId);
    const failure = error && { [attribute.errorType]: errorTypeOf(error) };
    const [tool] = place < 0 ? [] : tools.splice(place, 1);
    if (tool === undefined) {
      decide(callId, false);
      // The model may have made the name up.
      tell(own.callRefused, { [runAttribute.toolCallId]: callId, ...failure });
      return;
    }
    finish(tool.span, {
      [own.outcome]: error === undefined ? 'completed' : 'error',
      ...failure,
      ...(hasContent && { [contentAttribute.toolCallResult]: resultOf(output) }),
    });
  }

  return {
    context: run.context,
    contextOf: (callId) => tools.filter((each) => each.callId === callId).at(-1)?.context,
    note(event) {
      switch (event.type) {
        case 'approval_requested':
          waiting.set(event.call.call_id, { call: event.call, since: now() });
          tell(own.approvalRequested, identityOf(event.call));
          break;
        case 'tool_started':
          started(event);
          break;
        case 'tool_finished':
          finished(event);
          break;
        case 'run_completed':
          isCompleted = true;
          quietly(() =>
            run.span.setAttributes({ [own.runReason]: event.reason, [own.runTurns]: event.turns }),
          );
          break;
        default:
      }
    },
    end(end) {
      // A subscriber that unsubscribes at the last event has received it.
      const outcome = isCompleted && end.outcome === 'unsubscribed' ? 'completed' : end.outcome;
      const attributes = {
        [own.outcome]: outcome,
        ...(end.outcome === 'error' && { [attribute.errorType]: errorTypeOf(end.error) }),
      };
      const left = { [own.outcome]: 'unsubscribed' };
      for (const { span, callId } of tools.splice(0))
        finish(span, end.outcome === 'error' && isOf(end.error, callId) ? attributes : left);
      finish(run.span, attributes);
    },
  };
}

const identityOf = ({ name, call_id }: ToolCallItem): Attributes => ({
  [runAttribute.toolName]: name,
  [runAttribute.toolCallId]: call_id,
});

/** A tool's error by its code, `timeout` or `failed`; any other by its class. */
const errorTypeOf = (error: unknown): string => (error instanceof ToolError ? error.code : className(error));

/** Whether this call ended the run; the others were unsubscribed. */
const isOf = (error: unknown, callId: string): boolean =>
  error instanceof ToolError && error.callId === callId;

function argumentsOf(call: ToolCallItem, changed: unknown): string {
  if (changed !== undefined) return writeJson(changed) ?? '';
  return call.type === 'custom_tool_call' ? call.input : call.arguments;
}

const resultOf = (output: ToolOutput): string =>
  typeof output === 'string' ? output : (writeJson(output.map(withoutData)) ?? '');

/** Inline data is large, and useless to a reader of the trace. */
const withoutData = (part: object): object =>
  Object.fromEntries(
    Object.entries(part).filter(([, value]) => typeof value !== 'string' || !value.startsWith('data:')),
  );
