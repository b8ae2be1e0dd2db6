import { ChatCompletionsError } from '../turn/errors.js';
import { isRecord, own } from '../turn/wire.js';

// How a turn goes from a backend to its own front end, as server-sent events. Everything is in the data;
// the name of an event only sorts it for the listeners of an EventSource:
//
//   data: {"type":"output_item_done",...}          an event of the turn, as it is
//   event: error
//   data: {"type":"error","error":{...}}           the turn failed; nothing follows
//   data: [DONE]                                   the source has ended; nothing follows
//
// A function_call_arguments_delta has the call's name and id each time, so none is written of a call where either is
// longer than 1,024: the whole call, an output_item_done, says all of it once.
//
// encodeEventStream() and toMessageEvents() put signs of life in between: comments, or events named `ping`.

/** The data of the message that ends a stream which did not fail. Without it, the stream was cut. */
export const endMark = '[DONE]';

/** What a front end is told of an error. */
export interface TurnErrorReport {
  /** The name of its class; `'Error'` for any that is not this library's. */
  readonly name: string;
  /** Words for the user; none by default. */
  readonly message?: string | undefined;
  readonly status?: number | undefined;
  /** An identifier, such as `rate_limit_exceeded`. */
  readonly code?: string | undefined;
  /** The wait that the provider asked for, in milliseconds. */
  readonly retryAfter?: number | undefined;
}

/** What of an error holds nothing that anybody said. */
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

/** What of a value is a report, on its way out as on its way in. */
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
