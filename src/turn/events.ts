import type { ChatCompletionsError, RequestFailure } from './errors.js';
import type { Extras } from './extras.js';

/** Text input to a model. */
export interface InputText {
  readonly type: 'input_text';
  readonly text: string;
}

/** An image input to a model. */
export interface InputImage {
  readonly type: 'input_image';
  /** A URL, or a data URL. */
  readonly image_url: string;
  readonly detail?: 'auto' | 'low' | 'high';
}

/** Audio input to a model. */
export interface InputAudio {
  readonly type: 'input_audio';
  readonly input_audio: { readonly data: string; readonly format: string };
}

/** A file input to a model: by id, by content as a data URL, or by URL. */
export interface InputFile {
  readonly type: 'input_file';
  readonly file_id?: string;
  readonly file_data?: string;
  readonly file_url?: string;
  readonly filename?: string;
}

/** Text that a model wrote. */
export interface OutputText {
  readonly type: 'output_text';
  readonly text: string;
}

/** A model's refusal to answer. */
export interface Refusal {
  readonly type: 'refusal';
  readonly refusal: string;
}

/** One part of a message's content. */
export type ContentPart = InputText | InputImage | InputAudio | InputFile | OutputText | Refusal;

export type MessageRole = 'system' | 'developer' | 'user' | 'assistant';

/** A message. */
export interface MessageItem {
  readonly type: 'message';
  readonly role: MessageRole;
  readonly content: readonly ContentPart[];
}

/**
 * Provider-specific fields of an item, such as the signatures that some providers require in the next request.
 * The next request sends them back unchanged, in the same place, to the provider they came from.
 */
export interface ProviderFields {
  /**
   * Fields that this library does not model, unchanged. On a call: those of its entry in `tool_calls`, such as
   * Gemini's `extra_content`, and under `function` (or `custom`) those besides its name and arguments. On
   * reasoning: fields of the assistant message, such as LiteLLM's `thinking_blocks` or Copilot's
   * `reasoning_opaque`.
   */
  readonly extras?: Extras;
  /**
   * The `name` of the provider that sent them: they are sent back to that provider only. Without a name, every
   * provider gets `extras`.
   */
  readonly provider?: string;
}

/** A model's reasoning before its answer. */
export interface ReasoningItem extends ProviderFields {
  readonly type: 'reasoning';
  readonly content: readonly { readonly type: 'reasoning_text'; readonly text: string }[];
  /**
   * The provider's structured reasoning, unchanged (OpenRouter's `reasoning_details`), with signatures and
   * encrypted parts that some providers require in the next request. At most 4,096 entries.
   */
  readonly reasoning_details?: readonly unknown[];
}

/** A function call by a model. */
export interface FunctionCallItem extends ProviderFields {
  readonly type: 'function_call';
  /** The provider's id of the call. If it sent none: nine random letters and digits, unique across turns. */
  readonly call_id: string;
  readonly name: string;
  /** Raw model output: JSON, but it may not parse. */
  readonly arguments: string;
}

/** The output of a call: text, usually JSON, or parts such as images. */
export interface FunctionCallOutputItem {
  readonly type: 'function_call_output';
  readonly call_id: string;
  readonly output: ToolOutput;
}

/**
 * The output of a call: text, usually JSON, or parts. The array is not `readonly`, so that the item is
 * assignable to the Responses API's type.
 */
export type ToolOutput = string | (InputText | InputImage | InputFile)[];

/** A call of a custom tool, whose input is free text. */
export interface CustomToolCallItem extends ProviderFields {
  readonly type: 'custom_tool_call';
  readonly call_id: string;
  readonly name: string;
  readonly input: string;
}

/** The output of a custom tool's call. */
export interface CustomToolCallOutputItem {
  readonly type: 'custom_tool_call_output';
  readonly call_id: string;
  readonly output: ToolOutput;
}

/** A complete call of either kind of tool. */
export type ToolCallItem = FunctionCallItem | CustomToolCallItem;

/**
 * One item of a conversation, in the exact JSON shape of OpenAI's Responses API, so that items
 * interchange with what an application already holds.
 */
export type ResponseItem =
  | MessageItem
  | ReasoningItem
  | FunctionCallItem
  | FunctionCallOutputItem
  | CustomToolCallItem
  | CustomToolCallOutputItem;

/** The token usage of a turn. A number that the provider did not send is 0. */
export interface TokenUsage {
  readonly inputTokens: number;
  /** The part of `inputTokens` that came from the provider's cache. */
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  /** The part of `outputTokens` spent on reasoning. */
  readonly reasoningOutputTokens: number;
  readonly totalTokens: number;
}

/**
 * A part of the output. Text, reasoning and refusals arrive as many events, each with the new part only. A call
 * is emitted once, when complete, at the end of the turn; a call that was cut off is not emitted.
 */
export interface OutputItemDoneEvent {
  readonly type: 'output_item_done';
  readonly item: ResponseItem;
  /** The number of its choice; absent for choice 0. */
  readonly choice?: number;
}

/** Progress of a call while the model writes it. */
export interface FunctionCallArgumentsDeltaEvent {
  readonly type: 'function_call_arguments_delta';
  readonly callId: string;
  readonly name: string;
  /** The position of the call in its choice, counted from 0 in the order in which the calls began. */
  readonly index: number;
  /** The new part of its arguments, or of a custom tool's input. */
  readonly delta: string;
  /** The number of its choice; absent for choice 0. */
  readonly choice?: number;
}

/** The end of a turn. Nothing follows it. */
export interface CompletedEvent {
  readonly type: 'completed';
  /** The provider's id of the response; `''` if the stream had none. */
  readonly responseId: string;
  readonly model?: string;
  /**
   * Why the model stopped, as the provider wrote it; `null` if the stream ended without a reason. With several
   * choices, choice 0's.
   */
  readonly finishReason: string | null;
  /** `null` if the stream had none; `includeUsage` asks for it. */
  readonly usage: TokenUsage | null;
  /**
   * How the stream ended: with `[DONE]`; without it, but after every choice had its finish reason (the body
   * ended or broke, or nothing more arrived for `finishTimeout`); or with neither, so the output may be
   * incomplete. Absent if no stream ended, as in a turn that the caller stopped.
   */
  readonly endedBy?: 'done' | 'finish_reason' | 'eof';
  /** Why the other choices stopped, if there are any. */
  readonly choices?: readonly { readonly choice: number; readonly finishReason: string | null }[];
  /**
   * How many calls, in all choices, were cut off by the end of the stream or by a finish reason such as
   * `length`. They are not emitted as items; a `Turn` keeps them in `toolCalls`, without an `item`. Absent if
   * there are none, or if the caller stopped the turn.
   */
  readonly incompleteCalls?: number;
  /** The caller stopped the turn with `stopWhen()`; the output is what had arrived by then. */
  readonly stopped?: true;
}

/** A request failed and will be retried. Only with `includeRetries`. */
export interface RetryingEvent {
  readonly type: 'retrying';
  /** The number of the attempt that failed; the first is 1. */
  readonly attempt: number;
  /** Milliseconds until the next attempt. */
  readonly delay: number;
  readonly error: RequestFailure;
}

/**
 * The turn starts over, because the response broke off or another provider takes over. Discard what it has
 * emitted so far. Operators that restart a turn (`restartOnBreak()`, `fallbackWith()`) always emit it.
 */
export interface RestartingEvent {
  readonly type: 'restarting';
  /** The number of the attempt that failed; the first is 1. */
  readonly attempt: number;
  /** Milliseconds until the next attempt. */
  readonly delay: number;
  /** The error of that attempt; one that is not the library's is the `cause` of an `ApplicationError`. */
  readonly error: ChatCompletionsError;
}

/**
 * A raw chunk of the stream, emitted before its events. Only with `includeChunks`: for fields that this library
 * does not model, such as log probabilities, annotations, audio, content-filter results, the service tier and
 * the system fingerprint.
 */
export interface ChunkEvent {
  readonly type: 'chunk';
  /** Unchecked. */
  readonly chunk: Readonly<Record<string, unknown>>;
}

/** What a turn emits. */
export type ResponseEvent =
  | OutputItemDoneEvent
  | FunctionCallArgumentsDeltaEvent
  | CompletedEvent
  | RetryingEvent
  | RestartingEvent
  | ChunkEvent;
