import { type RequestFailure, StreamError, TransportError, UnexpectedStatusError } from '../turn/errors.js';
import { isWithinDepth } from '../turn/extras.js';
import type { RunEvent } from '../turn/run-events.js';
import { isRecord, own } from '../turn/wire.js';
import { RemoteTurnError } from './remote-turn-error.js';
import { readReport } from './server-sent-protocol.js';

type Check = (value: unknown) => boolean;
/** The check for each field of a record; other fields are allowed. */
type Shape = Readonly<Record<string, Check>>;
/** Shapes by `type`. */
type Shapes = Readonly<Record<string, Shape>>;

const string: Check = (value) => typeof value === 'string';
const number: Check = (value) => typeof value === 'number';
const count: Check = (value) => Number.isInteger(value) && Number(value) >= 0;
const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const nullOr =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const record =
  (shape: Shape): Check =>
  (value) =>
    isRecord(value) && Object.entries(shape).every(([key, check]) => check(own(value, key)));

/** The shape for a value's own `type`; `undefined` if unknown. */
const shapeOf = (shapes: Shapes, value: unknown): Shape | undefined => {
  const type = isRecord(value) ? own(value, 'type') : undefined;
  return typeof type === 'string' && Object.hasOwn(shapes, type) ? shapes[type] : undefined;
};
const shaped =
  (shapes: Shapes): Check =>
  (value) =>
    record(shapeOf(shapes, value) ?? { type: () => false })(value);

/** Any JSON value that is not nested too deep to be serialised again. */
const json: Check = (value) => isWithinDepth(value);

/** Called once, so that a bundle without this operator drops it. */
function knownShapes() {
  const outputParts: Shapes = {
    input_text: { text: string },
    input_image: { image_url: string, detail: optional(oneOf('auto', 'low', 'high')) },
    input_file: {
      file_id: optional(string),
      file_data: optional(string),
      file_url: optional(string),
      filename: optional(string),
    },
  };
  const parts: Shapes = {
    ...outputParts,
    input_audio: { input_audio: record({ data: string, format: string }) },
    output_text: { text: string },
    refusal: { refusal: string },
  };

  const said: Shape = {
    extras: optional((value) => isRecord(value) && json(value)),
    provider: optional(string),
  };

  const reasoningParts: Shapes = { reasoning_text: { text: string } };

  const output: Check = (value) => string(value) || listOf(shaped(outputParts))(value);

  const calls: Shapes = {
    function_call: { call_id: string, name: string, arguments: string, ...said },
    custom_tool_call: { call_id: string, name: string, input: string, ...said },
  };

  const items: Shapes = {
    message: { role: oneOf('system', 'developer', 'user', 'assistant'), content: listOf(shaped(parts)) },
    reasoning: {
      content: listOf(shaped(reasoningParts)),
      reasoning_details: optional((value) => Array.isArray(value) && isWithinDepth(value)),
      ...said,
    },
    function_call_output: { call_id: string, output },
    custom_tool_call_output: { call_id: string, output },
    ...calls,
  };

  const usage = nullOr(
    record({
      inputTokens: number,
      cachedInputTokens: number,
      outputTokens: number,
      reasoningOutputTokens: number,
      totalTokens: number,
    }),
  );

  const events: Shapes = {
    output_item_done: { item: shaped(items), choice: optional(count) },
    function_call_arguments_delta: {
      callId: string,
      name: string,
      index: count,
      delta: string,
      choice: optional(count),
    },
    completed: {
      responseId: string,
      model: optional(string),
      finishReason: nullOr(string),
      usage,
      endedBy: optional(oneOf('done', 'finish_reason', 'eof')),
      choices: optional(listOf(record({ choice: count, finishReason: nullOr(string) }))),
      incompleteCalls: optional(count),
      stopped: optional(oneOf(true)),
    },
    chunk: { chunk: isRecord },
    retrying: { attempt: count, delay: number, error: isRecord },
    restarting: { attempt: count, delay: number, error: isRecord },
    approval_requested: { call: shaped(calls) },
    tool_started: { call: shaped(calls), arguments: json },
    tool_progress: { callId: string, value: json },
    tool_finished: { callId: string, output, duration: number, error: optional(isRecord) },
    input_added: { items: listOf(shaped(items)) },
    run_resumed: { calls: listOf(shaped(calls)) },
    run_completed: {
      reason: oneOf('answered', 'stopped', 'pending', 'max_turns'),
      items: listOf(shaped(items)),
      usage,
      turns: count,
    },
  };

  return { parts, reasoningParts, outputParts, items, events };
}

const known = /* @__PURE__ */ knownShapes();

/** A serialised event: an error is a report. */
type Written<Event> = Event extends { readonly error?: unknown }
  ? 'error' extends keyof Event
    ? Omit<Event, 'error'> & { readonly error?: unknown }
    : Event
  : Event;

const isEvent = (value: unknown): value is Written<RunEvent> => shaped(known.events)(value);

/**
 * Reads an event from the wire; `undefined` if its type, or the type of its item, call or message part, belongs
 * to a later version. If an event lists such items or parts among others, only those are left out, since it may
 * be the end of a run.
 *
 * @throws StreamError if it is not an event
 */
export function readRunEvent(value: unknown): RunEvent | undefined {
  if (isEvent(value)) return withError(value);
  const event = withoutUnknown(value);
  if (isEvent(event)) return withError(event);
  if (isOfLaterVersion(event)) return undefined;
  throw new StreamError({
    message: "The backend's stream contains a message that is not a turn event.",
    retryable: false,
  });
}

/** The event, with its error rebuilt. */
function withError(event: Written<RunEvent>): RunEvent {
  switch (event.type) {
    case 'retrying':
      return { ...event, error: failureOf(event.error) };
    case 'restarting':
      return { ...event, error: new RemoteTurnError(readReport(event.error)) };
    case 'tool_finished': {
      const { error, ...finished } = event;
      return error === undefined ? finished : { ...finished, error: new RemoteTurnError(readReport(error)) };
    }
    default:
      return event;
  }
}

/** The failure of a request, from the backend's report. */
function failureOf(value: unknown): RequestFailure {
  const { status, code, retryAfter } = readReport(value);
  if (status === undefined) return new TransportError();
  return new UnexpectedStatusError({ status, code, retryAfter, retryable: true });
}

/** Whether a value has an unknown type. */
const isUnknown = (shapes: Shapes, value: unknown): boolean =>
  record({ type: string })(value) && shapeOf(shapes, value) === undefined;

function isOfLaterVersion(event: unknown): boolean {
  if (isUnknown(known.events, event)) return true;
  return isRecord(event) && (isLaterItem(own(event, 'item')) || isLaterItem(own(event, 'call')));
}

function isLaterItem(item: unknown): boolean {
  if (isUnknown(known.items, item)) return true;
  if (!isRecord(item)) return false;
  const parts = own(item, 'type') === 'reasoning' ? known.reasoningParts : known.parts;
  return hasUnknown(parts, own(item, 'content')) || hasUnknown(known.outputParts, own(item, 'output'));
}

const hasUnknown = (shapes: Shapes, values: unknown): boolean =>
  Array.isArray(values) && values.some((value) => isUnknown(shapes, value));

/** The event without items, or output parts, of a later version. */
function withoutUnknown(event: unknown): unknown {
  if (!isRecord(event)) return event;
  const [items, output] = [own(event, 'items'), own(event, 'output')];
  if (Array.isArray(items) && items.some(isLaterItem))
    return { ...event, items: items.filter((item) => !isLaterItem(item)) };
  if (hasUnknown(known.outputParts, output))
    return { ...event, output: (output as unknown[]).filter((part) => !isUnknown(known.outputParts, part)) };
  return event;
}
