import { asyncScheduler } from 'rxjs';
import type { Extras } from '../turn/extras.js';
import type {
  CompletedEvent,
  FunctionCallArgumentsDeltaEvent,
  ResponseEvent,
  ResponseItem,
  TokenUsage,
  ToolCallItem,
} from '../turn/events.js';
import { isWholeReason } from '../turn/finish-reason.js';
import { isRecord } from '../turn/wire.js';

/** A chunk of a completion in OpenAI's format. */
export interface ChatCompletionChunk {
  readonly id: string;
  readonly object: 'chat.completion.chunk';
  /** Unix time in seconds. */
  readonly created: number;
  readonly model: string;
  /** One choice; empty in the chunk with the usage. */
  readonly choices: readonly ChatCompletionChunkChoice[];
  readonly usage?: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly total_tokens: number;
    readonly prompt_tokens_details: { readonly cached_tokens: number };
    readonly completion_tokens_details: { readonly reasoning_tokens: number };
  };
}

export interface ChatCompletionChunkChoice {
  readonly index: number;
  readonly delta: ChatCompletionDelta;
  readonly finish_reason: string | null;
}

/** What a chunk adds to a choice. */
export interface ChatCompletionDelta {
  /** In the first chunk of each choice. */
  readonly role?: 'assistant';
  readonly content?: string;
  readonly refusal?: string;
  /** Not OpenAI's: the name that most providers use. */
  readonly reasoning_content?: string;
  /** Not OpenAI's: OpenRouter's structured reasoning, unchanged. */
  readonly reasoning_details?: readonly unknown[];
  readonly tool_calls?: readonly ToolCallDelta[];
  /** Not OpenAI's: other provider-specific fields that must be sent back, unchanged. */
  readonly [extra: string]: unknown;
}

/**
 * What a chunk adds to a call. The first one has an id and a type. Provider-specific fields arrive with the
 * complete call.
 */
export interface ToolCallDelta {
  readonly index: number;
  readonly id?: string;
  readonly type?: 'function' | 'custom';
  readonly function?: {
    readonly name?: string;
    readonly arguments?: string;
    readonly [extra: string]: unknown;
  };
  readonly custom?: { readonly name?: string; readonly input?: string; readonly [extra: string]: unknown };
  /** Not OpenAI's: provider-specific fields of the call that must be sent back, unchanged. */
  readonly [extra: string]: unknown;
}

export interface ChunkWriterOptions {
  /** The completion's id, which a turn has only at its end. Default: a random one per subscription. */
  readonly id?: string | undefined;
  /** The model's name. Default: none until the end of the turn, which has it. */
  readonly model?: string | undefined;
  /** The time of the completion, in Unix seconds. Default: the time of the subscription. */
  readonly created?: number | undefined;
  /**
   * Whether to write a chunk with the turn's usage. OpenAI does so only if the request asks for it
   * (`stream_options.include_usage`). Default `true`.
   */
  readonly includeUsage?: boolean | undefined;
  /**
   * The names of custom tools. A partial call does not tell its kind: a call of a tool not listed here is
   * written as a function call until it is complete, and corrected then.
   */
  readonly customTools?: readonly string[] | undefined;
}

/** A choice so far. */
interface Choice {
  hasRole: boolean;
  readonly calls: Map<string, Call>;
  /** The indices of its calls, and the first that may be free. */
  readonly taken: Set<number>;
  tried: number;
}

/** A call as written so far. */
interface Call {
  readonly index: number;
  name: string;
  /** Its arguments, or a custom tool's input. */
  text: string;
  isCustom: boolean;
  /** Whether its provider-specific fields were written. */
  hasExtras: boolean;
  /** Whether the call is still incomplete, and may be cut off. */
  isOpen: boolean;
}

const hasOpenCall = ({ calls }: Choice): boolean => [...calls.values()].some(({ isOpen }) => isOpen);

/** Writes the chunks of a turn in OpenAI's format, event by event: each character once. */
export function chunkWriter(options: ChunkWriterOptions) {
  const {
    id = `chatcmpl-${Math.random().toString(36).slice(2)}`,
    created = Math.floor(asyncScheduler.now() / 1_000),
    includeUsage = true,
    customTools = [],
  } = options;
  let model = options.model ?? '';
  const choices = new Map<number, Choice>();
  let isCut = false;

  const chunk = (fields: Pick<ChatCompletionChunk, 'choices' | 'usage'>): ChatCompletionChunk => ({
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    ...fields,
  });

  function choiceAt(index: number): Choice {
    let choice = choices.get(index);
    if (choice === undefined)
      choices.set(index, (choice = { hasRole: false, calls: new Map(), taken: new Set(), tried: 0 }));
    return choice;
  }

  function deltaChunk(index: number, fields: ChatCompletionDelta, finishReason: string | null = null) {
    const choice = choiceAt(index);
    const delta: ChatCompletionDelta = choice.hasRole ? fields : { role: 'assistant', ...fields };
    choice.hasRole = true;
    return chunk({ choices: [{ index, delta, finish_reason: finishReason }] });
  }

  function writeItem(index: number, item: ResponseItem): ChatCompletionChunk[] {
    switch (item.type) {
      case 'message': {
        const chunks: ChatCompletionChunk[] = [];
        if (item.role !== 'assistant') return chunks;
        for (const part of item.content) {
          if (part.type === 'output_text') chunks.push(deltaChunk(index, { content: part.text }));
          else if (part.type === 'refusal') chunks.push(deltaChunk(index, { refusal: part.refusal }));
        }
        return chunks;
      }
      case 'reasoning': {
        const { content, reasoning_details: details = [], extras } = item;
        const text = content.map((part) => part.text).join('');
        if (text === '' && details.length === 0 && extras === undefined) return [];
        return [
          deltaChunk(index, {
            ...extras,
            ...(text !== '' && { reasoning_content: text }),
            ...(details.length > 0 && { reasoning_details: details }),
          }),
        ];
      }
      case 'function_call':
      case 'custom_tool_call':
        return writeCall(index, item);
      default:
        return [];
    }
  }

  function callChunk(
    choice: number,
    { index, isCustom }: Pick<Call, 'index' | 'isCustom'>,
    fields: {
      readonly id?: string;
      readonly name?: string;
      readonly text?: string;
      readonly type?: true;
      readonly extras?: Extras | undefined;
    },
  ): ChatCompletionChunk {
    const { name, text } = fields;
    const named = name !== undefined && { name };
    const { function: ofFunction, custom: ofCustom, index: _, id, type, ...extras } = fields.extras ?? {};
    const inner = isCustom ? ofCustom : ofFunction;
    return deltaChunk(choice, {
      tool_calls: [
        {
          ...extras,
          index,
          ...(fields.id !== undefined && { id: fields.id }),
          ...(fields.type && { type: isCustom ? 'custom' : 'function' }),
          ...(isCustom
            ? {
                custom: {
                  ...(isRecord(inner) && inner),
                  ...named,
                  ...(text !== undefined && { input: text }),
                },
              }
            : {
                function: {
                  ...(isRecord(inner) && inner),
                  ...named,
                  ...(text !== undefined && { arguments: text }),
                },
              }),
        },
      ],
    });
  }

  function beginCall(choice: number, callId: string, call: Call, extras?: Extras): ChatCompletionChunk {
    const { calls, taken } = choiceAt(choice);
    calls.set(callId, call);
    taken.add(call.index);
    return callChunk(choice, call, { id: callId, type: true, name: call.name, text: call.text, extras });
  }

  function writeDelta(event: FunctionCallArgumentsDeltaEvent): ChatCompletionChunk {
    const { callId, name, delta, choice = 0 } = event;
    const at = choiceAt(choice);
    const call = at.calls.get(callId);
    if (call === undefined) {
      const index = freeIndex(at, event.index);
      return beginCall(choice, callId, {
        index,
        name,
        text: delta,
        isCustom: customTools.includes(name),
        hasExtras: false,
        isOpen: true,
      });
    }
    const isNamed = call.name === '' && name !== '';
    if (isNamed) call.name = name;
    call.text += delta;
    return callChunk(choice, call, { ...(isNamed && { name }), text: delta });
  }

  function writeCall(choice: number, item: ToolCallItem): ChatCompletionChunk[] {
    const { call_id: callId, name, extras } = item;
    const isCustom = item.type === 'custom_tool_call';
    const text = isCustom ? item.input : item.arguments;
    const at = choiceAt(choice);
    const call = at.calls.get(callId);
    const hasExtras = extras !== undefined;
    if (call === undefined) {
      const index = freeIndex(at);
      return [beginCall(choice, callId, { index, name, text, isCustom, hasExtras, isOpen: false }, extras)];
    }
    call.isOpen = false;
    const isNamed = call.name === '' && name !== '';
    // What is written stays, even if an operator has changed the complete call.
    const rest = text.startsWith(call.text) ? text.slice(call.text.length) : '';
    const isCorrected = isCustom && !call.isCustom;
    const isSaid = hasExtras && !call.hasExtras;
    if (rest === '' && !isNamed && !isCorrected && !isSaid) return [];
    call.hasExtras ||= hasExtras;
    call.name ||= name;
    call.text += rest;
    call.isCustom ||= isCustom;
    return [
      callChunk(choice, call, {
        ...(isSaid && { extras }),
        ...(isCorrected && { type: true }),
        ...((isNamed || isCorrected) && { name }),
        ...(rest !== '' && { text: rest }),
      }),
    ];
  }

  function finish(event: CompletedEvent): ChatCompletionChunk[] {
    const { finishReason, usage, choices: others = [] } = event;
    model = options.model ?? event.model ?? model;
    isCut = event.endedBy === 'eof';
    const last = [{ choice: 0, finishReason }, ...others].map((other) => {
      const isOpen = hasOpenCall(choiceAt(other.choice));
      // A client takes an open call for a complete one unless the end says otherwise.
      const reason = isOpen && isWholeReason(other.finishReason ?? 'stop') ? null : other.finishReason;
      isCut ||= isOpen && reason === null;
      return deltaChunk(other.choice, {}, reason);
    });
    choices.clear();
    return usage === null || !includeUsage
      ? last
      : [...last, chunk({ choices: [], usage: wireUsage(usage) })];
  }

  return {
    /** Whether the written output was cut off, in its text or in a call. */
    isCut: () => isCut,
    write(event: ResponseEvent): readonly ChatCompletionChunk[] {
      switch (event.type) {
        case 'output_item_done':
          return writeItem(event.choice ?? 0, event.item);
        case 'function_call_arguments_delta':
          return [writeDelta(event)];
        case 'completed':
          return finish(event);
        case 'restarting':
          // Written output cannot be taken back.
          if (choices.size > 0) throw event.error;
          return [];
        default:
          return [];
      }
    },
  };
}

/** The wanted index of a call, or the first free one; none is released, so each is tried once. */
function freeIndex(choice: Choice, wanted = 0): number {
  const { taken } = choice;
  if (!taken.has(wanted)) return wanted;
  while (taken.has(choice.tried)) choice.tried += 1;
  return choice.tried;
}

const wireUsage = (usage: TokenUsage): NonNullable<ChatCompletionChunk['usage']> => ({
  prompt_tokens: usage.inputTokens,
  completion_tokens: usage.outputTokens,
  total_tokens: usage.totalTokens,
  prompt_tokens_details: { cached_tokens: usage.cachedInputTokens },
  completion_tokens_details: { reasoning_tokens: usage.reasoningOutputTokens },
});
