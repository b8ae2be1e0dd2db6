import type { ServerResponse } from 'node:http';
import {
  bytesOf,
  errorBody,
  errorOfStatus,
  jsonBytes,
  type Step,
  streamedCompletion,
  wholeCompletion,
} from './completion.js';
import { compressed } from './compressed.js';
import type { Connection } from './connection.js';
import type { MockAnswer } from './mock-answer.js';
import { type MockRequest, wantsStream } from './mock-request.js';
import { retryAfterHeaders } from './retry-after.js';

interface Body {
  readonly contentType: string | undefined;
  readonly steps: AsyncGenerator<Step, void, undefined>;
  /** In bytes, if known in advance. */
  readonly length?: number;
}

const eventStream = 'text/event-stream; charset=utf-8';
const json = 'application/json';

function bodyOf(answer: MockAnswer, status: number, request: MockRequest): Body {
  const { contentType, steps, length } = plainBodyOf(answer, status, request);
  if (answer.encoding !== undefined) return { contentType, steps: compressed(steps, answer.encoding) };
  return { contentType, steps, ...(length !== undefined && { length }) };
}

function plainBodyOf(answer: MockAnswer, status: number, request: MockRequest): Body {
  const { body, error } = answer;
  if (body !== undefined) return { contentType: eventStream, steps: exactly(body) };
  if (answer.json !== undefined) return jsonBody(answer.json);
  if (error !== undefined || status >= 400) return jsonBody(errorBody(error ?? errorOfStatus(status)));
  if (status === 204 || status >= 300) return { contentType: undefined, steps: exactly([]), length: 0 };
  return wantsStream(request)
    ? { contentType: eventStream, steps: streamedCompletion(answer, request) }
    : { contentType: json, steps: wholeCompletion(answer, request) };
}

function jsonBody(value: unknown): Body {
  const bytes = jsonBytes(value);
  return { contentType: json, steps: exactly(bytes), length: bytes.byteLength };
}

async function* exactly(body: NonNullable<MockAnswer['body']>): AsyncGenerator<Step, void, undefined> {
  const pieces = typeof body === 'string' || body instanceof Uint8Array ? [body] : body;
  for await (const piece of pieces) yield typeof piece === 'string' ? bytesOf(piece) : piece;
}

/** Writes a scripted answer until its end or until the client disconnects. */
export async function respond(
  answer: MockAnswer,
  request: MockRequest,
  response: ServerResponse,
  connection: Connection,
  defaultPace: number,
): Promise<void> {
  const { pace = defaultPace, cut, status = answer.error === undefined ? 200 : 500 } = answer;
  await connection.sleep(answer.delay ?? 0);
  if (!connection.isOpen) return;
  if (answer.noAnswer !== undefined) {
    connection.cut(answer.noAnswer);
    return;
  }
  if (answer.wire !== undefined) {
    await writeByHand(answer.wire, connection);
    return;
  }

  const { contentType, steps, length } = bodyOf(answer, status, request);
  const contentLength = answer.contentLength ?? length;
  response.statusCode = status;
  response.setHeader('x-request-id', `req-mock-${request.index + 1}`);
  if (contentType !== undefined) response.setHeader('content-type', contentType);
  if (contentType === eventStream) response.setHeader('cache-control', 'no-cache');
  if (contentLength !== undefined) response.setHeader('content-length', contentLength);
  if (answer.encoding !== undefined) response.setHeader('content-encoding', answer.encoding);
  const wait = answer.retryAfter === undefined ? {} : retryAfterHeaders(answer.retryAfter);
  for (const [name, value] of Object.entries({ ...wait, ...answer.headers })) response.setHeader(name, value);
  response.flushHeaders();

  let written = 0;
  let isFirst = true;
  const write = async (bytes: Uint8Array) => {
    if (!isFirst) await connection.sleep(pace);
    isFirst = false;
    const allowed = cut === undefined ? bytes : bytes.subarray(0, cut.afterBytes - written);
    if (allowed.byteLength > 0) await connection.write(allowed);
    written += allowed.byteLength;
    if (cut !== undefined && written >= cut.afterBytes) connection.cut(cut.by ?? 'close');
  };
  while (connection.isOpen) {
    const next = await connection.settled(steps.next());
    // If a sequence throws, the answer ends as if the server had crashed.
    if (next === undefined) connection.cut('close');
    else if (next.done === true) break;
    else if (next.value instanceof Uint8Array) await write(next.value);
    else if ('wait' in next.value) await connection.sleep(next.value.wait);
    else connection.cut(next.value.cut);
  }
  // Not awaited: `return()` on a sequence that is waiting for something settles only after that.
  steps.return().catch(() => {});

  await connection.sleep(answer.endDelay ?? 0);
  if (!connection.isOpen) return;
  if (contentLength !== undefined && written < contentLength) connection.cut('close');
  else connection.end();
}

async function writeByHand(wire: NonNullable<MockAnswer['wire']>, connection: Connection): Promise<void> {
  for await (const piece of wire) {
    if (!connection.isOpen) return;
    if (typeof piece === 'string' || piece instanceof Uint8Array)
      await connection.writeByHand(bytesOf(piece));
    else if ('wait' in piece) await connection.sleep(piece.wait);
    else connection.cut(piece.cut);
  }
  if (connection.isOpen) connection.cut('close');
}
