import { isRecord, own } from '../turn/wire.js';
import type { MockAnswer, MockChoice, MockError, MockPiece, MockToolCall } from './mock-answer.js';
import { type MockRequest, promptOf, wantsUsage } from './mock-request.js';

/** 2025-01-01: every answer has the same time, so that two runs are identical byte for byte. */
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

/** Splits a text into words, each with the space before it. The pieces join to the same text. */
function words(text: string): readonly string[] {
  const pieces = text.split(/(?<=\S)(?=\s)/);
  const last = pieces.pop() ?? '';
  // White space at the end belongs to the last word.
  if (last.trim() === '') return last === '' ? [] : [...pieces.slice(0, -1), (pieces.at(-1) ?? '') + last];
  return [...pieces, last];
}

/** A step of a body. */
export type Step = Uint8Array | { readonly wait: number } | { readonly cut: 'close' | 'reset' };

const encoder = new TextEncoder();

export const bytesOf = (raw: string | Uint8Array): Uint8Array =>
  typeof raw === 'string' ? encoder.encode(raw) : raw;

const event = (data: unknown): Uint8Array => encoder.encode(`data: ${JSON.stringify(data)}\n\n`);

/** A piece for one chunk, or between chunks. */
type PlainPiece = Exclude<
  MockPiece,
  | string
  | { readonly reasoning: string }
  | { readonly toolCall: MockToolCall }
  | { readonly comment: string }
  | { readonly repeat: unknown }
>;

/** A choice in progress: its pieces, and its state after the last one. */
interface Spoken {
  readonly index: number;
  pieces(): AsyncGenerator<PlainPiece, void, undefined>;
  readonly finishReason: string | null;
  readonly tokens: number;
}

function spokenChoices(answer: MockAnswer, request: MockRequest): readonly Spoken[] {
  return (answer.choices ?? [answer]).map((choice, index) => spoken(choice, index, request));
}

function spoken(choice: MockChoice, index: number, request: MockRequest): Spoken {
  const { content = /\bsky\b/i.test(promptOf(request).last) ? skyText : otherText } = choice;
  let calls = 0;
  let tokens = 0;

  async function* plain(
    pieces: Iterable<MockPiece> | AsyncIterable<MockPiece>,
  ): AsyncGenerator<PlainPiece, void, undefined> {
    for await (const piece of pieces) {
      if (typeof piece === 'string') {
        tokens += 1;
        yield { delta: { content: piece } };
      } else if (piece instanceof Uint8Array) yield piece;
      else if ('reasoning' in piece) {
        tokens += 1;
        yield { delta: { reasoning_content: piece.reasoning } };
      } else if ('comment' in piece) yield { raw: `: ${piece.comment}\n\n` };
      else if ('toolCall' in piece) {
        const id = `call-mock-${request.index + 1}-${index}-${calls}`;
        yield* callDeltas(calls, { id, ...piece.toolCall });
        calls += 1;
      } else if ('repeat' in piece) {
        const { repeat, times = Infinity } = piece;
        const again = isList(repeat) ? repeat : [repeat];
        for (let time = 0; again.length > 0 && time < times; time += 1) yield* plain(again);
      } else yield piece;
    }
  }

  return {
    index,
    pieces: () => plain(typeof content === 'string' ? words(content) : content),
    get finishReason() {
      return choice.finishReason === undefined ? (calls > 0 ? 'tool_calls' : 'stop') : choice.finishReason;
    },
    get tokens() {
      return tokens;
    },
  };
}

const isList = (pieces: MockPiece | readonly MockPiece[]): pieces is readonly MockPiece[] =>
  Array.isArray(pieces);

/** A call as providers write it: the name, then the arguments in parts. */
function* callDeltas(index: number, { id, name, ...call }: MockToolCall): Generator<PlainPiece> {
  const args = call.arguments ?? {};
  const text = typeof args === 'string' ? args : JSON.stringify(args);
  const delta = (fields: object) => ({ delta: { tool_calls: [{ index, ...fields }] } });
  yield delta({ id, type: 'function', function: { name, arguments: '' } });
  for (const part of text.match(/[^]{1,8}/gu) ?? []) yield delta({ function: { arguments: part } });
}

function usageOf(answer: MockAnswer, request: MockRequest, choices: readonly Spoken[]): object {
  const inputTokens = words(promptOf(request).all).length;
  const outputTokens = choices.reduce((sum, { tokens }) => sum + tokens, 0);
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
  const withUsage = wantsUsage(request);
  const chunk = (fields: object) =>
    event({ ...head(request, 'chat.completion.chunk'), ...(withUsage && { usage: null }), ...fields });
  const choices = spokenChoices(answer, request);

  async function* said(choice: Spoken): AsyncGenerator<Step, void, undefined> {
    const delta = (fields: object, reason: string | null = null) =>
      chunk({ choices: [{ index: choice.index, delta: fields, logprobs: null, finish_reason: reason }] });
    yield delta({ role: 'assistant', content: '' });
    for await (const piece of choice.pieces()) {
      if (piece instanceof Uint8Array) yield piece;
      else if ('raw' in piece) yield bytesOf(piece.raw);
      else if ('chunk' in piece) yield chunk(piece.chunk);
      else if ('delta' in piece) yield delta(piece.delta);
      else yield piece;
    }
    if (choice.finishReason !== null) yield delta({}, choice.finishReason);
  }

  yield* inTurn(choices.map(said));
  if (withUsage) yield chunk({ choices: [], usage: usageOf(answer, request, choices) });
  if (answer.done !== false) yield bytesOf('data: [DONE]\n\n');
}

/** One value of each sequence in turn, until all have ended. */
async function* inTurn<T>(sequences: readonly AsyncGenerator<T, void, undefined>[]) {
  const open = new Set(sequences);
  try {
    while (open.size > 0) {
      for (const sequence of open) {
        const next = await sequence.next();
        if (next.done === true) open.delete(sequence);
        else yield next.value;
      }
    }
  } finally {
    for (const sequence of open) await sequence.return();
  }
}

/** An endless sequence can be streamed, but not joined. */
const mostPieces = 100_000;

/** An answer as one JSON object: the joined pieces of each choice. */
export async function* wholeCompletion(
  answer: MockAnswer,
  request: MockRequest,
): AsyncGenerator<Step, void, undefined> {
  const spokenOnes = spokenChoices(answer, request);
  const choices: object[] = [];
  for (const choice of spokenOnes) {
    let message: Record<string, unknown> = { role: 'assistant', content: null, refusal: null };
    let pieces = 0;
    for await (const piece of choice.pieces()) {
      pieces += 1;
      if (pieces > mostPieces) throw new Error(`A choice of more than ${mostPieces} pieces is no JSON.`);
      if (piece instanceof Uint8Array || 'raw' in piece) continue;
      if ('chunk' in piece) message = join(message, deltaOf(piece.chunk));
      else if ('delta' in piece) message = join(message, piece.delta);
      else yield piece;
    }
    const { index, finishReason } = choice;
    choices.push({ index, message: withoutIndexes(message), logprobs: null, finish_reason: finishReason });
  }
  yield jsonBytes({
    ...head(request, 'chat.completion'),
    choices,
    usage: usageOf(answer, request, spokenOnes),
  });
}

/** The answer to `GET .../models`. */
export function modelList(models: readonly string[]): object {
  const data = models.map((id) => ({ id, object: 'model', created, owned_by: 'mock' }));
  return { object: 'list', data };
}

export const jsonBytes = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));

export function errorBody({ message, type = 'invalid_request_error', code, param }: MockError): object {
  return { error: { message, type, param: param ?? null, code: code ?? null } };
}

/** The error for an error status that was scripted without one. */
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
