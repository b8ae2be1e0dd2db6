import type { EventSourceMessage } from 'eventsource-parser';
import { ProviderStreamError } from '../../turn/errors.js';
import type {
  CompletedEvent,
  ContentPart,
  ReasoningItem,
  ResponseEvent,
  TokenUsage,
} from '../../turn/events.js';
import { type Extras, extrasKeeper, messageExtras } from '../../turn/extras.js';
import { type ProviderErrorReport, readProviderError } from '../../turn/provider-error.js';
import { isRecord, own, parseJson } from '../../turn/wire.js';
import { callIds } from './call-ids.js';
import {
  type ReasoningAlias,
  reasoningDetails,
  reasoningText,
  textOfDetails,
  thinkingText,
} from './reasoning.js';
import { readUsage } from './token-usage.js';
import { type ToolCalls, toolCalls } from './tool-calls.js';

/** The fields of a delta that hold text. */
export type TextKey = 'content' | ReasoningAlias;

export interface ChunkDecoderOptions {
  /** Puts a `chunk` event with each chunk as it came before the events that it stands for. Default `false`. */
  readonly includeChunks?: boolean | undefined;
  /** The name of the provider that answers, for what it wants back. Default: none, and any provider gets it. */
  readonly provider?: string | undefined;
  /** A number from 0 to 1, for the ids of calls that came without one. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Takes the secrets out of what a provider said. */
  readonly redact?: ((text: string) => string) | undefined;
  /** Told of each event whose data was no JSON object. */
  readonly onMalformed?:
    ((event: { readonly length: number; readonly position: number }) => void) | undefined;
}

export interface ChunkDecoder {
  /** Emits what an event stands for. Throws a `ProviderStreamError` where it reports an error. */
  push(message: EventSourceMessage): void;
  /** Emits the text of an event that is the last one again but for this text of choice 0. */
  pushText(text: string, key: TextKey, details: readonly unknown[]): void;
  /** Emits the calls that are still open, then `completed`, with what the stream has told of itself. */
  end(): void;
}

/** What a chunk begins with; an error may stand in a list. */
const maybeChunk = /^\s*[[{]/;

/** How many choices are read: OpenAI's `n` goes to 128, and a hostile stream would go on. */
const maxChoices = 128;

interface Choice {
  /** What its events carry: nothing for choice 0. */
  readonly label: { readonly choice?: number };
  finishReason: string | null;
  calls: ToolCalls | undefined;
}

/**
 * Server-sent events to response events: the state of one answer, from its first chunk to
 * `completed`. What comes from the wire is used after its type was checked, and only its own
 * properties count.
 */
export function chunkDecoder(
  emit: (event: ResponseEvent) => void,
  options: ChunkDecoderOptions = {},
): ChunkDecoder {
  const { includeChunks = false, provider, random, redact = (text: string) => text, onMalformed } = options;
  const keeper = extrasKeeper(provider);
  const makeId = callIds(random);
  const saidBy = provider === undefined ? {} : { provider };
  let position = -1;
  let responseId = '';
  let model: string | undefined;
  let usage: TokenUsage | null = null;
  const first: Choice = { label: {}, finishReason: null, calls: undefined };
  const choices = new Map<number, Choice>([[0, first]]);

  const failure = ({ message, code, type, status }: Partial<ProviderErrorReport>) =>
    new ProviderStreamError({
      status,
      code: code === undefined ? undefined : redact(code),
      type: type === undefined ? undefined : redact(type),
      message: message === undefined ? undefined : redact(message),
    });

  function choiceAt(index: number): Choice {
    let choice = choices.get(index);
    if (choice === undefined) {
      choice = { label: { choice: index }, finishReason: null, calls: undefined };
      choices.set(index, choice);
    }
    return choice;
  }

  function emitMessage({ label }: Choice, part: ContentPart): void {
    emit({
      type: 'output_item_done',
      item: { type: 'message', role: 'assistant', content: [part] },
      ...label,
    });
  }

  function emitReasoning(
    { label }: Choice,
    text: string,
    details: readonly unknown[] = [],
    extras?: Extras,
  ): void {
    const content: ReasoningItem['content'] = text === '' ? [] : [{ type: 'reasoning_text', text }];
    emit({
      type: 'output_item_done',
      item: {
        type: 'reasoning',
        content,
        ...(details.length > 0 && { reasoning_details: details }),
        ...(extras && { extras }),
        ...((details.length > 0 || extras) && saidBy),
      },
      ...label,
    });
  }

  function readContent(choice: Choice, content: unknown): void {
    if (typeof content === 'string') {
      if (content !== '') emitMessage(choice, { type: 'output_text', text: content });
      return;
    }
    if (!Array.isArray(content)) return;
    for (const part of content as readonly unknown[]) {
      if (typeof part === 'string') readContent(choice, part);
      if (!isRecord(part)) continue;
      const type = own(part, 'type');
      if (type === 'text' || type === 'output_text') {
        const text = own(part, 'text');
        if (typeof text === 'string') readContent(choice, text);
      } else if (type === 'thinking' || type === 'reasoning') {
        const text = thinkingText(part);
        if (text !== '') emitReasoning(choice, text);
      } else if (type === 'refusal') {
        readRefusal(choice, own(part, 'refusal'));
      }
    }
  }

  function readRefusal(choice: Choice, refusal: unknown): void {
    if (typeof refusal === 'string' && refusal !== '') emitMessage(choice, { type: 'refusal', refusal });
  }

  function readCalls(choice: Choice, entries: readonly unknown[]): void {
    const { label } = choice;
    choice.calls ??= toolCalls(emit, label, makeId, keeper);
    choice.calls.push(entries);
  }

  function readDelta(choice: Choice, delta: Record<string, unknown>): void {
    if (isTextAlone(delta)) {
      readContent(choice, own(delta, 'content'));
      return;
    }
    const details = reasoningDetails(delta);
    const reasoning = reasoningText(delta) || textOfDetails(details);
    const extras = keeper.keep(messageExtras(delta));
    if (reasoning !== '' || details.length > 0 || extras) emitReasoning(choice, reasoning, details, extras);
    readContent(choice, own(delta, 'content'));
    readRefusal(choice, own(delta, 'refusal'));
    const calls = own(delta, 'tool_calls');
    if (Array.isArray(calls)) readCalls(choice, calls);
    // What OpenAI had before `tool_calls`: one call, and without an id.
    const call = own(delta, 'function_call');
    if (isRecord(call) && !Array.isArray(calls)) readCalls(choice, [{ index: 0, function: call }]);
  }

  function readChoice(raw: unknown, place: number): void {
    if (!isRecord(raw)) return;
    const given = own(raw, 'index');
    const index = typeof given === 'number' && Number.isInteger(given) && given >= 0 ? given : place;
    if (index >= maxChoices) return;
    // Moonshot tells the usage here.
    usage = readUsage(own(raw, 'usage')) ?? usage;
    const delta = own(raw, 'delta');
    const reason = own(raw, 'finish_reason');
    const isFinished = typeof reason === 'string' && reason !== '';
    if (!isRecord(delta) && !isFinished) return;
    const choice = choiceAt(index);
    if (isRecord(delta)) readDelta(choice, delta);
    if (!isFinished) return;
    if (reason === 'error') throw failure(readProviderError(raw) ?? {});
    choice.finishReason = reason;
    choice.calls?.flush();
  }

  return {
    push({ event, data }) {
      position += 1;
      // To find out that something is no JSON costs many times what it costs to read a chunk.
      const chunk = maybeChunk.test(data) ? parseJson(data) : undefined;
      if (event === 'error') throw failure(readProviderError(chunk) ?? { message: data });
      if (!isRecord(chunk)) {
        const report = readProviderError(chunk);
        if (report !== undefined) throw failure(report);
        onMalformed?.({ length: data.length, position });
        return;
      }
      if (includeChunks) emit({ type: 'chunk', chunk });
      const list = own(chunk, 'choices');
      if (own(chunk, 'error') || !Array.isArray(list)) {
        const report = readProviderError(chunk);
        if (report !== undefined) throw failure(report);
      }
      const id = own(chunk, 'id');
      if (responseId === '' && typeof id === 'string') responseId = id;
      const name = own(chunk, 'model');
      if (model === undefined && typeof name === 'string' && name !== '') model = name;
      usage = readUsage(own(chunk, 'usage')) ?? usage;
      if (!Array.isArray(list)) return;
      const end = Math.min(list.length, maxChoices);
      for (let place = 0; place < end; place += 1) readChoice(list[place], place);
    },
    pushText(text, key, details) {
      position += 1;
      if (key === 'content') emitMessage(first, { type: 'output_text', text });
      else emitReasoning(first, text, details);
    },
    end() {
      for (const { calls } of choices.values()) calls?.flush();
      const others = othersOf(choices);
      emit({
        type: 'completed',
        responseId,
        ...(model !== undefined && { model }),
        finishReason: first.finishReason,
        usage,
        ...(others.length > 0 && { choices: others }),
      });
    },
  };
}

/** Most deltas hold text and nothing else: half the cost of a delta is to look for what is not there. */
function isTextAlone(delta: Record<string, unknown>): boolean {
  for (const key in delta) if (key !== 'content' && key !== 'role') return false;
  return true;
}

function othersOf(choices: ReadonlyMap<number, Choice>): NonNullable<CompletedEvent['choices']> {
  return [...choices]
    .filter(([index]) => index > 0)
    .sort(([a], [b]) => a - b)
    .map(([choice, { finishReason }]) => ({ choice, finishReason }));
}
