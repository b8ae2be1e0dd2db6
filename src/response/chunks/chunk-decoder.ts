import type { EventSourceMessage } from 'eventsource-parser';
import { identity } from 'rxjs';
import { ProviderStreamError } from '../../turn/errors.js';
import type {
  CompletedEvent,
  ContentPart,
  ProviderFields,
  ResponseEvent,
  ResponseItem,
  TokenUsage,
} from '../../turn/events.js';
import { extrasKeeper, messageExtras } from '../../turn/extras.js';
import { isWholeReason } from '../../turn/finish-reason.js';
import {
  errorFields,
  maxErrorSize,
  type ProviderErrorReport,
  readProviderError,
} from '../../turn/provider-error.js';
import { reasoningItem } from '../../turn/reasoning-item.js';
import { isIndex, isRecord, own, parseJson, stringOf, textOf } from '../../turn/wire.js';
import { retryAfterInBody } from '../../turn/retry-after.js';
import { callIds } from './call-ids.js';
import { isRetryable } from './is-retryable.js';
import { newPart } from './new-part.js';
import { isEndMark, piecesOf } from './pieces.js';
import {
  type ReasoningAlias,
  reasoningDetails,
  reasoningText,
  textOfDetails,
  thinkingText,
} from './reasoning.js';
import { readUsage } from './token-usage.js';
import { type CallsEnd, type ToolCalls, toolCalls } from './tool-calls.js';

/** The text fields of a delta. */
export type TextKey = 'content' | ReasoningAlias;

export interface ChunkDecoderOptions {
  /** Emits each raw chunk in a `chunk` event, before its events. Default `false`. */
  readonly includeChunks?: boolean | undefined;
  /** Whether each chunk has only the new text and reasoning, or everything so far. Default `'incremental'`. */
  readonly deltas?: 'incremental' | 'cumulative' | undefined;
  /** The name of the provider, for the fields to send back. Default: none, so every provider gets them. */
  readonly provider?: string | undefined;
  /** Returns a number from 0 to 1, for the ids of calls that arrive without one. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Removes secrets from the provider's texts. */
  readonly redact?: ((text: string) => string) | undefined;
  /** How many choices the request asked for; if one, its number is ignored. Default: unknown. */
  readonly choiceCount?: number | undefined;
  /** Maximum number of JSON values in an event. Default 1,000,000. */
  readonly maxEventValues?: number | undefined;
  /** Called for each event whose data is not a JSON object. */
  readonly onMalformed?:
    ((event: { readonly length: number; readonly position: number }) => void) | undefined;
  /**
   * Called for each tool call that never got a name and is therefore dropped, with the length of its arguments.
   */
  readonly onNameless?: ((call: { readonly length: number }) => void) | undefined;
}

/** An event of an answer. */
export interface AnswerMessage extends EventSourceMessage {
  /** The data as parsed JSON, if it was parsed already. */
  readonly json?: unknown;
}

export interface ChunkDecoder {
  /**
   * Emits the events of a server-sent event. Throws a `ProviderStreamError` if it reports an error, and a `StreamError`
   * beyond `maxEventValues`.
   */
  push(message: AnswerMessage): void;
  /** Emits the text of an event that differs from the previous one only in this text of choice 0. */
  pushText(text: string, key: TextKey, details: readonly unknown[]): void;
  /** How the stream has ended, if it ends now. */
  endedBy(): NonNullable<CompletedEvent['endedBy']>;
  /** Emits the calls, then `completed` with the stream's metadata. */
  end(): void;
}

/**
 * Finish reasons that mean a failure: from OpenRouter and Mistral (`error`), Z.ai (`network_error`), DeepSeek
 * (`insufficient_system_resource`: interrupted for lack of resources), and the gateways' versions of them
 * (hermes-agent#92161).
 */
const errorReasons: readonly string[] = [
  'error',
  'error_finish',
  'network_error',
  'network-error',
  'insufficient_system_resource',
];

/** How many choices are read: OpenAI's `n` goes up to 128, and a hostile stream would go on. */
const maxChoices = 128;

interface Choice {
  /** The choice's fields in its events: none for choice 0. */
  readonly label: { readonly choice?: number };
  finishReason: string | null;
  calls: ToolCalls | undefined;
  /** Finds the new part of the text, and of the reasoning. */
  readonly newText: (text: string) => string;
  readonly newReasoning: (text: string) => string;
  hasBegun: boolean;
  /** Whether its deltas have had any content. */
  hasSpoken: boolean;
  /** Whether its calls continued after a finish reason, which therefore was not the end. */
  hasGoneOn: boolean;
}

/**
 * Decodes server-sent events into response events: the state of one answer, from its first chunk to `completed`.
 * Values from the wire are used only after a type check, and only their own properties count.
 */
export function chunkDecoder(
  emit: (event: ResponseEvent) => void,
  options: ChunkDecoderOptions = {},
): ChunkDecoder {
  const { includeChunks = false, deltas, redact = identity, onMalformed, onNameless } = options;
  const { provider, random, choiceCount, maxEventValues } = options;
  const isCumulative = deltas === 'cumulative';
  const keeper = extrasKeeper(provider);
  const makeId = callIds(random);
  const total = { calls: 0 };
  let position = -1;
  let isDone = false;
  /** The number of the choice, if only one was requested. */
  let only: number | undefined;
  let hasFinishReason = false;
  let responseId = '';
  let model = '';
  let usage: TokenUsage | null = null;
  const newChoice = (label: Choice['label']): Choice => ({
    label,
    finishReason: null,
    calls: undefined,
    newText: isCumulative ? newPart() : identity,
    newReasoning: isCumulative ? newPart() : identity,
    hasBegun: false,
    hasSpoken: false,
    hasGoneOn: false,
  });
  const first = newChoice({});
  const choices = new Map<number, Choice>([[0, first]]);

  function failure(report: Partial<ProviderErrorReport>, data: string): ProviderStreamError {
    const { message, code, type, status } = report;
    const said = data.slice(0, maxErrorSize);
    const wait = retryAfterInBody(said);
    const retryable = isRetryable(report, said, wait);
    return new ProviderStreamError({
      status,
      code: code && redact(code),
      type: type && redact(type),
      message: message && redact(message.slice(0, maxErrorSize)),
      retryable,
      retryAfter: retryable ? wait : undefined,
    });
  }

  function choiceAt(index: number): Choice {
    let choice = choices.get(index);
    if (choice === undefined) {
      choice = newChoice({ choice: index });
      choices.set(index, choice);
    }
    choice.hasBegun = true;
    return choice;
  }

  function emitItem(choice: Choice, item: ResponseItem): void {
    choice.hasSpoken = true;
    emit({ type: 'output_item_done', item, ...choice.label });
  }

  const emitMessage = (choice: Choice, part: ContentPart) =>
    emitItem(choice, { type: 'message', role: 'assistant', content: [part] });

  function emitText(choice: Choice, text: string): void {
    const added = choice.newText(text);
    if (added !== '') emitMessage(choice, { type: 'output_text', text: added });
  }

  function emitReasoning(
    choice: Choice,
    all: string,
    details: readonly unknown[] = [],
    extras?: ProviderFields['extras'],
  ): void {
    const text = choice.newReasoning(all);
    const isSaid = details.length > 0 || extras !== undefined;
    if (text === '' && !isSaid) return;
    emitItem(choice, reasoningItem(text, details, { extras, provider: isSaid ? provider : undefined }));
  }

  function readContent(choice: Choice, content: unknown): void {
    for (const part of Array.isArray(content) ? (content as readonly unknown[]) : [content]) {
      if (isRecord(part)) readPart(choice, part);
      else readText(choice, part);
    }
  }

  function readText(choice: Choice, value: unknown): void {
    const text = textOf(value);
    if (text !== '') emitText(choice, text);
  }

  function readPart(choice: Choice, part: Record<string, unknown>): void {
    const type = own(part, 'type');
    const text = own(part, 'text');
    if (type === 'text' || type === 'output_text' || (type === undefined && text !== undefined)) {
      readText(choice, text);
    } else if (type === 'refusal') {
      readRefusal(choice, own(part, 'refusal'));
    } else if (type === undefined || reasoningTypes.includes(type)) {
      emitReasoning(choice, thinkingText(part));
    }
  }

  function readRefusal(choice: Choice, value: unknown): void {
    const refusal = textOf(value);
    if (refusal !== '') emitMessage(choice, { type: 'refusal', refusal });
  }

  function readCalls(choice: Choice, entries: readonly unknown[]): void {
    const { label } = choice;
    choice.calls ??= toolCalls({ emit, label, makeId, keeper, onNameless, maxEventValues, total });
    choice.hasSpoken = true;
    choice.hasGoneOn ||= entries.length > 0 && choice.finishReason !== null;
    choice.calls.push(entries);
  }

  function readDelta(choice: Choice, delta: Record<string, unknown>): void {
    if (isTextAlone(delta)) {
      readContent(choice, own(delta, 'content'));
      return;
    }
    const details = reasoningDetails(delta);
    const extras = keeper.keep(messageExtras(delta));
    emitReasoning(choice, reasoningText(delta) || textOfDetails(details), details, extras);
    readContent(choice, own(delta, 'content'));
    readRefusal(choice, own(delta, 'refusal'));
    const calls = own(delta, 'tool_calls');
    if (Array.isArray(calls)) readCalls(choice, calls);
    // OpenAI's predecessor of `tool_calls`: one call, without an id.
    const call = own(delta, 'function_call');
    if (isRecord(call) && !Array.isArray(calls)) readCalls(choice, [{ index: 0, function: call }]);
  }

  function readChoice(raw: unknown, place: number, data: string): void {
    if (!isRecord(raw)) return;
    const number = indexOf(own(raw, 'index'), place);
    if (number >= maxChoices) return;
    if (choiceCount === 1) only ??= number;
    const index = number === only ? 0 : number;
    // Moonshot reports the usage here.
    readUsageOf(raw);
    const delta = own(raw, 'delta');
    const message = own(raw, 'message');
    const reason = stringOf(own(raw, 'finish_reason'));
    const report = reportOf(raw);
    if (!isRecord(delta) && !isRecord(message) && reason === '' && report === undefined) return;
    const choice = choiceAt(index);
    if (isRecord(delta)) readDelta(choice, delta);
    else if (isRecord(message)) readMessage(choice, message);
    if (report !== undefined) throw failure(report, data);
    if (reason === '') return;
    hasFinishReason = true;
    choice.finishReason = reason;
  }

  /** A message instead of deltas. If there were deltas, it repeats them. */
  function readMessage(choice: Choice, message: Record<string, unknown>): void {
    if (choice.hasSpoken) return;
    readDelta(choice, message);
    choice.hasSpoken = false;
  }

  /** The latest usage counts; zeros, or only a price, do not. */
  function readUsageOf(record: Record<string, unknown>): void {
    const told = readUsage(own(record, 'usage'));
    if (told !== undefined && (usage === null || told.totalTokens + told.inputTokens + told.outputTokens > 0))
      usage = told;
  }

  /** The event for a raw chunk, with any echoed key removed; none for an error. */
  function emitChunk(chunk: Record<string, unknown>, data: string, list: unknown): void {
    if (Array.isArray(list) && list.some((choice) => isRecord(choice) && reportOf(choice) !== undefined))
      return;
    const clean = redact(data);
    const shown = clean === data ? chunk : parseJson(clean, maxEventValues);
    if (isRecord(shown)) emit({ type: 'chunk', chunk: shown });
  }

  function readChunk(chunk: Record<string, unknown>, data: string): void {
    const list = own(chunk, 'choices');
    if (own(chunk, 'error') || own(chunk, 'base_resp') || !Array.isArray(list)) {
      const report = readProviderError(chunk);
      if (report !== undefined) throw failure(report, data);
    }
    if (includeChunks) emitChunk(chunk, data, list);
    responseId ||= textOf(own(chunk, 'id'));
    model ||= stringOf(own(chunk, 'model'));
    const groq = own(chunk, 'x_groq');
    if (isRecord(groq)) readUsageOf(groq);
    readUsageOf(chunk);
    if (!Array.isArray(list)) return;
    const end = Math.min(list.length, maxChoices);
    for (let place = 0; place < end; place += 1) readChoice(list[place], place, data);
  }

  function readPiece(event: string | undefined, data: string, value: unknown): void {
    if (event === 'error') throw failure(errorFields(value, data), data);
    if (isRecord(value)) {
      readChunk(value, data);
      return;
    }
    const report = readProviderError(value);
    if (report !== undefined) throw failure(report, data);
    onMalformed?.({ length: data.length, position });
  }

  function endedBy(): NonNullable<CompletedEvent['endedBy']> {
    if (isDone) return 'done';
    const isOpen = ({ hasBegun, finishReason }: Choice) => hasBegun && finishReason === null;
    return hasFinishReason && ![...choices.values()].some(isOpen) ? 'finish_reason' : 'eof';
  }

  function callsEnd({ finishReason, hasGoneOn }: Choice): CallsEnd {
    if (finishReason === null) return isDone ? 'done' : 'cut';
    return isWholeReason(finishReason) && (isDone || !hasGoneOn) ? 'finished' : 'cut';
  }

  return {
    push({ event, data, json }) {
      if (isDone) return;
      position += 1;
      const isPlain = json === undefined && data.charCodeAt(0) === 0x7b;
      const chunk = isPlain ? parseJson(data, maxEventValues) : json;
      if (isRecord(chunk) && event !== 'error') {
        readChunk(chunk, data);
        return;
      }
      for (const piece of piecesOf(data, maxEventValues, isPlain && chunk === undefined)) {
        if (isEndMark(piece.data)) {
          isDone = true;
          return;
        }
        readPiece(event, piece.data, piece.value);
      }
    },
    pushText(text, key, details) {
      if (isDone) return;
      position += 1;
      if (key === 'content') emitText(first, text);
      else emitReasoning(first, text, details);
    },
    endedBy,
    end() {
      const inOrder = [...choices].sort(([a], [b]) => a - b);
      let incompleteCalls = 0;
      for (const [, choice] of inOrder) incompleteCalls += choice.calls?.end(callsEnd(choice)) ?? 0;
      const others = inOrder.slice(1).map(([choice, { finishReason }]) => ({ choice, finishReason }));
      emit({
        type: 'completed',
        responseId,
        ...(model !== '' && { model }),
        finishReason: first.finishReason,
        usage,
        endedBy: endedBy(),
        ...(others.length > 0 && { choices: others }),
        ...(incompleteCalls > 0 && { incompleteCalls }),
      });
    },
  };
}

/** The types of content parts that contain reasoning. */
const reasoningTypes: readonly unknown[] = ['thinking', 'reasoning', 'reasoning_text', 'summary_text'];

/** The number of a choice, which may be text; its position in the list if it has none. */
function indexOf(index: unknown, place: number): number {
  const number = typeof index === 'string' && /^\d{1,9}$/.test(index) ? Number(index) : index;
  return isIndex(number) ? number : place;
}

/** The error that a choice reports, in `error` or as its finish reason. */
function reportOf(choice: Record<string, unknown>): Partial<ProviderErrorReport> | undefined {
  const reason = ['finish_reason', 'native_finish_reason']
    .map((name) => own(choice, name))
    .find((value) => typeof value === 'string' && errorReasons.includes(value));
  if (own(choice, 'error') || reason === 'error') return readProviderError(choice) ?? {};
  return typeof reason === 'string' ? { code: reason } : undefined;
}

/** Most deltas contain only text, and looking for absent fields is half the cost of a delta. */
function isTextAlone(delta: Record<string, unknown>): boolean {
  for (const key in delta) if (key !== 'content' && key !== 'role') return false;
  return true;
}
