import { type RequestFailure, StreamError, TransportError, UnexpectedStatusError } from '../turn/errors.js';
import type { ResponseEvent, RestartingEvent, RetryingEvent } from '../turn/events.js';
import { isWithinDepth } from '../turn/extras.js';
import { isRecord, own } from '../turn/wire.js';
import { RemoteTurnError } from './remote-turn-error.js';
import { readReport } from './server-sent-protocol.js';

type Check = (value: unknown) => boolean;
/** What each field of a record must be; others may stand beside them. */
type Shape = Readonly<Record<string, Check>>;
/** Shapes by the `type` of what has them. */
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

/** The shape that a value's own `type` names; `undefined` where that is not known here. */
const shapeOf = (shapes: Shapes, value: unknown): Shape | undefined => {
  const type = isRecord(value) ? own(value, 'type') : undefined;
  return typeof type === 'string' && Object.hasOwn(shapes, type) ? shapes[type] : undefined;
};
const shaped =
  (shapes: Shapes): Check =>
  (value) =>
    record(shapeOf(shapes, value) ?? { type: () => false })(value);

/** Called once, so that a bundle without this operator has nothing of it. */
function knownShapes() {
  const parts: Shapes = {
    input_text: { text: string },
    input_image: { image_url: string, detail: optional(oneOf('auto', 'low', 'high')) },
    input_audio: { input_audio: record({ data: string, format: string }) },
    input_file: {
      file_id: optional(string),
      file_data: optional(string),
      file_url: optional(string),
      filename: optional(string),
    },
    output_text: { text: string },
    refusal: { refusal: string },
  };

  const said: Shape = {
    extras: optional((value) => isRecord(value) && isWithinDepth(value)),
    provider: optional(string),
  };

  const reasoningParts: Shapes = { reasoning_text: { text: string } };

  const items: Shapes = {
    message: { role: oneOf('system', 'developer', 'user', 'assistant'), content: listOf(shaped(parts)) },
    reasoning: {
      content: listOf(shaped(reasoningParts)),
      reasoning_details: optional((value) => Array.isArray(value) && isWithinDepth(value)),
      ...said,
    },
    function_call: { call_id: string, name: string, arguments: string, ...said },
    function_call_output: { call_id: string, output: string },
    custom_tool_call: { call_id: string, name: string, input: string, ...said },
    custom_tool_call_output: { call_id: string, output: string },
  };

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
      usage: nullOr(
        record({
          inputTokens: number,
          cachedInputTokens: number,
          outputTokens: number,
          reasoningOutputTokens: number,
          totalTokens: number,
        }),
      ),
      endedBy: optional(oneOf('done', 'finish_reason', 'eof')),
      choices: optional(listOf(record({ choice: count, finishReason: nullOr(string) }))),
      incompleteCalls: optional(count),
      stopped: optional(oneOf(true)),
    },
    chunk: { chunk: isRecord },
    retrying: { attempt: count, delay: number, error: isRecord },
    restarting: { attempt: count, delay: number, error: isRecord },
  };

  return { parts, reasoningParts, items, events };
}

const known = /* @__PURE__ */ knownShapes();

/** An event with an error, as it was written down. */
type Report<Event> = Omit<Event, 'error'> & { readonly error: unknown };

const isEvent = (
  value: unknown,
): value is
  Exclude<ResponseEvent, RetryingEvent | RestartingEvent> | Report<RetryingEvent> | Report<RestartingEvent> =>
  shaped(known.events)(value);

/**
 * The event that a value from the wire is. `undefined` where it is one that only a later version
 * knows: an event, an item or a part of a message of another type.
 *
 * @throws StreamError where it is nothing of the kind
 */
export function readResponseEvent(value: unknown): ResponseEvent | undefined {
  if (isEvent(value)) {
    if (value.type === 'retrying') return { ...value, error: failureOf(value.error) };
    if (value.type === 'restarting') return { ...value, error: new RemoteTurnError(readReport(value.error)) };
    return value;
  }
  if (isOfLaterVersion(value)) return undefined;
  throw new StreamError({
    message: "A message of the backend's stream is no event of a turn.",
    retryable: false,
  });
}

/** The failure of a request, from what the backend tells of it. */
function failureOf(value: unknown): RequestFailure {
  const { status, code, retryAfter } = readReport(value);
  if (status === undefined) return new TransportError();
  return new UnexpectedStatusError({ status, code, retryAfter, retryable: true });
}

function isOfLaterVersion(event: unknown): boolean {
  const isUnknown = (shapes: Shapes, value: unknown) =>
    record({ type: string })(value) && shapeOf(shapes, value) === undefined;
  if (isUnknown(known.events, event)) return true;
  const item = isRecord(event) ? own(event, 'item') : undefined;
  if (isUnknown(known.items, item)) return true;
  if (!isRecord(item)) return false;
  const parts = own(item, 'type') === 'reasoning' ? known.reasoningParts : known.parts;
  const content = own(item, 'content');
  return Array.isArray(content) && content.some((part) => isUnknown(parts, part));
}
