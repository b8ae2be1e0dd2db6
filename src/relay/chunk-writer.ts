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

/** A chunk of an answer in OpenAI's format. */
export interface ChatCompletionChunk {
  readonly id: string;
  readonly object: 'chat.completion.chunk';
  /** Unix time in seconds. */
  readonly created: number;
  readonly model: string;
  /** One choice; none in the chunk that holds the usage. */
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
  /** Not OpenAI's: OpenRouter's account of the reasoning, as it came. */
  readonly reasoning_details?: readonly unknown[];
  readonly tool_calls?: readonly ToolCallDelta[];
  /** Not OpenAI's: what else the provider said beside the reasoning and wants back, as it came. */
  readonly [extra: string]: unknown;
}

/** What a chunk adds to a call. Its first has an id and a type. What the provider said of a call comes with it whole. */
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
  /** Not OpenAI's: what else the provider said of the call and wants back, as it came. */
  readonly [extra: string]: unknown;
}

export interface ChunkWriterOptions {
  /** The answer's id, which a turn tells only at its end. Default: a random one for each subscription. */
  readonly id?: string | undefined;
  /** The model's name. Default: none until the turn tells it at its end. */
  readonly model?: string | undefined;
  /** When the answer was begun, in seconds of Unix time. Default: now, at each subscription. */
  readonly created?: number | undefined;
  /**
   * Whether the chunk with the usage is written where the turn has one. OpenAI does so only where a
   * request asks for it (`stream_options.include_usage`). Default `true`.
   */
  readonly includeUsage?: boolean | undefined;
  /**
   * The names of custom tools. A call that is being written does not tell its kind: that of a tool which
   * is not named here is a function's until it is whole, and corrected then.
   */
  readonly customTools?: readonly string[] | undefined;
}

/** A choice so far. */
interface Choice {
  hasRole: boolean;
  readonly calls: Map<string, Call>;
  /** The places that its calls have, and how many of the first have been tried for another. */
  readonly taken: Set<number>;
  tried: number;
}

/** A call so far, as it was written. */
interface Call {
  readonly index: number;
  name: string;
  /** Its arguments, or a custom tool's input. */
  text: string;
  isCustom: boolean;
  /** Whether what the provider said of it was written. */
  hasExtras: boolean;
  /** Whether the whole call has not come, so that it may be cut. */
  isOpen: boolean;
}

const hasOpenCall = ({ calls }: Choice): boolean => [...calls.values()].some(({ isOpen }) => isOpen);

/** The chunks of a turn in OpenAI's format, event by event: each character once. */
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
    // What was written stays: an operator that made something else of the call came too late.
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
      // A client takes an open call for a whole one unless the end says otherwise.
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
    /** Whether what was written ends in the midst of an answer, or of a call. */
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
          // What was written cannot be taken back.
          if (choices.size > 0) throw event.error;
          return [];
        default:
          return [];
      }
    },
  };
}

/** The place that a call wants, or the first that no other has; none is given back, so each is tried once. */
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
