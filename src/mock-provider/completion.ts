import { isRecord, own } from '../wire.js';
import type { MockAnswer, MockError, MockPiece } from './mock-answer.js';
import { type MockRequest, promptOf, wantsUsage } from './mock-request.js';

/** 2025-01-01: every answer is made at the same time, so that two runs are equal to the byte. */
const created = 1_735_689_600;

const skyText =
  'The sky is blue because air scatters short waves of light far more than long ones. ' +
  'Sunlight holds all colours; on its way through the air the blue part is thrown in every direction, ' +
  'so it reaches your eyes from the whole sky. ' +
  'At sunset the light comes a longer way, most of its blue is lost before it arrives, and red is left.';

const otherText =
  'This is the mock provider speaking: no model was asked, and the same question always gets this answer. ' +
  'It came word by word, as an event stream, over a real connection. ' +
  'Ask about the sky and it will even know something.';

/** A text as pieces that join to it again: each word with the space before it. */
export function words(text: string): readonly string[] {
  return text.match(/\s*\S+(?:\s+$)?|\s+$/g) ?? [];
}

/** A step of a body. */
export type Step = Uint8Array | { readonly wait: number } | { readonly cut: 'close' | 'reset' };

const encoder = new TextEncoder();

export const bytesOf = (raw: string | Uint8Array): Uint8Array =>
  typeof raw === 'string' ? encoder.encode(raw) : raw;

const event = (data: unknown): Uint8Array => encoder.encode(`data: ${JSON.stringify(data)}\n\n`);

function contentOf(answer: MockAnswer, request: MockRequest): Iterable<MockPiece> | AsyncIterable<MockPiece> {
  const { content = /\bsky\b/i.test(promptOf(request).last) ? skyText : otherText } = answer;
  return typeof content === 'string' ? words(content) : content;
}

function usageOf(answer: MockAnswer, request: MockRequest, outputTokens: number): object {
  const inputTokens = words(promptOf(request).all).length;
  return (
    answer.usage ?? {
      prompt_tokens: inputTokens,
      completion_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
    }
  );
}

const head = (request: MockRequest, object: string) => ({
  id: `chatcmpl-mock-${request.index + 1}`,
  object,
  created,
  model: request.body.model,
});

/** An answer as an event stream. */
export async function* streamedCompletion(
  answer: MockAnswer,
  request: MockRequest,
): AsyncGenerator<Step, void, undefined> {
  const { finishReason = 'stop', done = true } = answer;
  const withUsage = wantsUsage(request);
  const chunk = (fields: object) =>
    event({ ...head(request, 'chat.completion.chunk'), ...(withUsage && { usage: null }), ...fields });
  const delta = (fields: object, reason: string | null = null) =>
    chunk({ choices: [{ index: 0, delta: fields, logprobs: null, finish_reason: reason }] });

  yield delta({ role: 'assistant', content: '' });
  let tokens = 0;
  for await (const piece of contentOf(answer, request)) {
    if (typeof piece === 'string') {
      tokens += 1;
      yield delta({ content: piece });
    } else if (piece instanceof Uint8Array) yield piece;
    else if ('raw' in piece) yield bytesOf(piece.raw);
    else if ('chunk' in piece) yield chunk(piece.chunk);
    else if ('delta' in piece) yield delta(piece.delta);
    else yield piece;
  }
  if (finishReason !== null) yield delta({}, finishReason);
  if (withUsage) yield chunk({ choices: [], usage: usageOf(answer, request, tokens) });
  if (done) yield bytesOf('data: [DONE]\n\n');
}

/** An answer as one JSON object: the pieces of the content put together. */
export async function* wholeCompletion(
  answer: MockAnswer,
  request: MockRequest,
): AsyncGenerator<Step, void, undefined> {
  let message: Record<string, unknown> = { role: 'assistant', content: null, refusal: null };
  let tokens = 0;
  for await (const piece of contentOf(answer, request)) {
    if (typeof piece === 'string') {
      tokens += 1;
      message = join(message, { content: piece });
    } else if (piece instanceof Uint8Array || 'raw' in piece) continue;
    else if ('chunk' in piece) message = join(message, deltaOf(piece.chunk));
    else if ('delta' in piece) message = join(message, piece.delta);
    else yield piece;
  }
  const finishReason = answer.finishReason === undefined ? 'stop' : answer.finishReason;
  yield jsonBytes({
    ...head(request, 'chat.completion'),
    choices: [{ index: 0, message: withoutIndexes(message), logprobs: null, finish_reason: finishReason }],
    usage: usageOf(answer, request, tokens),
  });
}

export const jsonBytes = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));

export function errorBody({ message, type = 'invalid_request_error', code, param }: MockError): object {
  return { error: { message, type, param: param ?? null, code: code ?? null } };
}

/** The error of a status that was scripted without one. */
export function errorOfStatus(status: number): MockError {
  const message = `The mock provider was told to answer with status ${status}.`;
  if (status === 429) return { message, type: 'requests', code: 'rate_limit_exceeded' };
  if (status === 401) return { message, code: 'invalid_api_key' };
  return status >= 500 ? { message, type: 'server_error' } : { message };
}

function deltaOf(chunk: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const choices = chunk['choices'];
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  const delta = isRecord(choice) ? own(choice, 'delta') : undefined;
  return isRecord(delta) ? delta : {};
}

/** What deltas add up to: texts are appended, lists joined by `index`, the rest replaced. */
function join(whole: Record<string, unknown>, delta: Readonly<Record<string, unknown>>) {
  const joined = { ...whole };
  for (const [key, value] of Object.entries(delta)) {
    const before = own(joined, key);
    if (typeof value === 'string' && typeof before === 'string' && !fixed.has(key))
      joined[key] = before + value;
    else if (isRecord(value) && isRecord(before)) joined[key] = join(before, value);
    else if (Array.isArray(value)) joined[key] = joinList(Array.isArray(before) ? before : [], value);
    else joined[key] = value;
  }
  return joined;
}

/** Fields that a delta repeats rather than continues. */
const fixed: ReadonlySet<string> = new Set(['role', 'id', 'type']);

function joinList(whole: readonly unknown[], deltas: readonly unknown[]): unknown[] {
  const joined = [...whole];
  for (const delta of deltas) {
    const at = isRecord(delta)
      ? joined.findIndex((entry) => isRecord(entry) && own(entry, 'index') === own(delta, 'index'))
      : -1;
    const before = joined[at];
    if (isRecord(delta) && isRecord(before)) joined[at] = join(before, delta);
    else joined.push(delta);
  }
  return joined;
}

/** `index` says where a delta belongs; the whole call has none. */
function withoutIndexes(message: Record<string, unknown>): Record<string, unknown> {
  const calls = own(message, 'tool_calls');
  if (!Array.isArray(calls)) return message;
  return {
    ...message,
    tool_calls: calls.map((call: unknown) => {
      if (!isRecord(call)) return call;
      return Object.fromEntries(Object.entries(call).filter(([key]) => key !== 'index'));
    }),
  };
}
