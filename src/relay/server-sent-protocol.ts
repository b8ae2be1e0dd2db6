import { ChatCompletionsError } from '../turn/errors.js';
import { isRecord, own } from '../turn/wire.js';

// The protocol of a turn between a backend and its front end, as server-sent events. The data has everything;
// an event's name only routes it to listeners of an EventSource:
//
//   data: {"type":"output_item_done",...}          an event of the turn, as it is
//   event: error
//   data: {"type":"error","error":{...}}           the turn failed; nothing follows
//   data: [DONE]                                   the source has ended; nothing follows
//
// A function_call_arguments_delta repeats the call's name and id, so it is omitted if either is longer than
// 1,024: the complete call, an output_item_done, has everything.
//
// encodeEventStream() and toMessageEvents() add heartbeats: comments, or events named `ping`.

/** The data of the last message of a successful stream. Without it, the stream was cut off. */
export const endMark = '[DONE]';

/** The error report that a front end gets. */
export interface TurnErrorReport {
  /** The name of the error's class; `'Error'` for any that is not this library's. */
  readonly name: string;
  /** A message for the user; none by default. */
  readonly message?: string | undefined;
  readonly status?: number | undefined;
  /** An identifier, such as `rate_limit_exceeded`. */
  readonly code?: string | undefined;
  /** The wait that the provider asked for, in milliseconds. */
  readonly retryAfter?: number | undefined;
}

/** The fields of an error that contain nothing written by a provider, user or model. */
export function publicFields(error: unknown): unknown {
  if (!(error instanceof ChatCompletionsError)) return undefined;
  const { name, status, code, retryAfter }: PerhapsOfAnAnswer = error;
  return { name, status, code, retryAfter };
}

interface PerhapsOfAnAnswer {
  readonly name: string;
  readonly status?: unknown;
  readonly code?: unknown;
  readonly retryAfter?: unknown;
}

/** Picks the fields of a report, for sending and receiving. */
export function readReport(value: unknown): TurnErrorReport {
  const report = isRecord(value) ? value : {};
  const [name, message, status, code, retryAfter] = [
    own(report, 'name'),
    own(report, 'message'),
    own(report, 'status'),
    own(report, 'code'),
    own(report, 'retryAfter'),
  ];
  return {
    name: typeof name === 'string' && /^[A-Za-z]\w{0,63}$/.test(name) ? name : 'Error',
    ...(typeof message === 'string' && { message }),
    ...(isStatus(status) && { status }),
    ...(typeof code === 'string' && /^[\w.:/-]{1,64}$/.test(code) && { code }),
    ...(typeof retryAfter === 'number' && Number.isFinite(retryAfter) && retryAfter >= 0 && { retryAfter }),
  };
}

const isStatus = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599;
