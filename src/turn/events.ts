import type { ChatCompletionsError, RequestFailure } from './errors.js';
import type { Extras } from './extras.js';

/** Text that was given to a model. */
export interface InputText {
  readonly type: 'input_text';
  readonly text: string;
}

/** An image that was given to a model. */
export interface InputImage {
  readonly type: 'input_image';
  /** A URL, or a data URL. */
  readonly image_url: string;
  readonly detail?: 'auto' | 'low' | 'high';
}

/** Audio that was given to a model. */
export interface InputAudio {
  readonly type: 'input_audio';
  readonly input_audio: { readonly data: string; readonly format: string };
}

/** A file that was given to a model: by its id, by its content as a data URL, or by its address. */
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
 * What a provider said on an item that this library does not model, such as the signatures that some refuse
 * the next request without. The next request returns it unread, in its place, to the provider that said it.
 */
export interface ProviderFields {
  /**
   * Unmodelled fields, as they came. On a call: those of the entry in `tool_calls`, such as Gemini's
   * `extra_content`, and under `function` (or `custom`) those beside its name and arguments. On reasoning: fields of the
   * assistant message, such as LiteLLM's `thinking_blocks` or Copilot's `reasoning_opaque`.
   */
  readonly extras?: Extras;
  /**
   * The `name` of the provider that said it: only a provider of that name gets it back. Without one, any
   * provider gets `extras`.
   */
  readonly provider?: string;
}

/** What a model thought before it answered. */
export interface ReasoningItem extends ProviderFields {
  readonly type: 'reasoning';
  readonly content: readonly { readonly type: 'reasoning_text'; readonly text: string }[];
  /**
   * The provider's own account of it, as it came (OpenRouter's `reasoning_details`): signatures and
   * encrypted parts that some providers want back with the next request. At most 4,096 entries.
   */
  readonly reasoning_details?: readonly unknown[];
}

/** A call that a model asks for. */
export interface FunctionCallItem extends ProviderFields {
  readonly type: 'function_call';
  /** The provider's id of the call. Where it gave none: nine random letters and digits, unique across turns. */
  readonly call_id: string;
  readonly name: string;
  /** JSON, as the model wrote it: it may not parse. */
  readonly arguments: string;
}

/** What a call gave: text, usually JSON, or parts such as images. */
export interface FunctionCallOutputItem {
  readonly type: 'function_call_output';
  readonly call_id: string;
  readonly output: ToolOutput;
}

/**
 * What a model is told that its call gave: text, usually JSON, or parts. The list is no `readonly` one, so that the
 * item is one of the Responses API's types, too.
 */
export type ToolOutput = string | (InputText | InputImage | InputFile)[];

/** A call of a custom tool, whose input is free text. */
export interface CustomToolCallItem extends ProviderFields {
  readonly type: 'custom_tool_call';
  readonly call_id: string;
  readonly name: string;
  readonly input: string;
}

/** What a custom tool's call gave. */
export interface CustomToolCallOutputItem {
  readonly type: 'custom_tool_call_output';
  readonly call_id: string;
  readonly output: ToolOutput;
}

/** A whole call, of either kind of tool. */
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

/** What a turn cost, in tokens. A figure that the provider did not give is 0. */
export interface TokenUsage {
  readonly inputTokens: number;
  /** The part of `inputTokens` that came from the provider's cache. */
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  /** The part of `outputTokens` that was spent on reasoning. */
  readonly reasoningOutputTokens: number;
  readonly totalTokens: number;
}

/**
 * A part of the answer. Text, reasoning and refusals arrive as many of these, each with what is new; a
 * call arrives once, whole, at the end of the turn. One that was cut does not.
 */
export interface OutputItemDoneEvent {
  readonly type: 'output_item_done';
  readonly item: ResponseItem;
  /** Which of several choices it belongs to; absent for choice 0. */
  readonly choice?: number;
}

/** Progress of a call that is being written. */
export interface FunctionCallArgumentsDeltaEvent {
  readonly type: 'function_call_arguments_delta';
  readonly callId: string;
  readonly name: string;
  /** Which call of its choice it is, counted from 0 in the order in which they began. */
  readonly index: number;
  /** What is new of its arguments, or of a custom tool's input. */
  readonly delta: string;
  /** Which of several choices it belongs to; absent for choice 0. */
  readonly choice?: number;
}

/** The end of a turn. Nothing follows it. */
export interface CompletedEvent {
  readonly type: 'completed';
  /** The provider's id of the answer, `''` where the stream held none. */
  readonly responseId: string;
  readonly model?: string;
  /**
   * Why the model stopped, as the provider wrote it; `null` where the stream ended without a reason.
   * Choice 0's, where there are several.
   */
  readonly finishReason: string | null;
  /** `null` where the stream held none; `includeUsage` asks for it. */
  readonly usage: TokenUsage | null;
  /**
   * How the stream ended: with `[DONE]`; without it, after each choice had its finish reason (the body ended or broke,
   * or nothing more came for `finishTimeout`); or with neither, so that the answer may be incomplete. Absent where no
   * stream ended, as in a turn that its caller stopped.
   */
  readonly endedBy?: 'done' | 'finish_reason' | 'eof';
  /** Why the other choices stopped, where there are any. */
  readonly choices?: readonly { readonly choice: number; readonly finishReason: string | null }[];
  /**
   * How many calls, of all choices, were cut and are therefore no items: the stream ended in their midst, or a finish
   * reason such as `length` did. A `Turn` keeps them in `toolCalls`, without an `item`. Absent where there are none, and
   * where the caller stopped the turn.
   */
  readonly incompleteCalls?: number;
  /** The caller stopped the turn, with `stopWhen()`: the answer is what had come by then. */
  readonly stopped?: true;
}

/** A request failed and another follows. Only with `includeRetries`. */
export interface RetryingEvent {
  readonly type: 'retrying';
  /** Number of the attempt that failed; the first is 1. */
  readonly attempt: number;
  /** Milliseconds until the next attempt. */
  readonly delay: number;
  readonly error: RequestFailure;
}

/**
 * The turn starts over, and what it has emitted so far is void: its answer broke off, or another provider takes over.
 * Operators that restart a turn (`restartOnBreak()`, `fallbackWith()`) always emit it.
 */
export interface RestartingEvent {
  readonly type: 'restarting';
  /** Number of the attempt that failed; the first is 1. */
  readonly attempt: number;
  /** Milliseconds until the next attempt. */
  readonly delay: number;
  /** What the attempt failed with; an error that is not the library's is the `cause` of an `ApplicationError`. */
  readonly error: ChatCompletionsError;
}

/**
 * A chunk of the stream as it came, before the events that it stands for. Only with `includeChunks`:
 * for what this library does not model, such as log probabilities, annotations, audio, content-filter
 * results, the service tier and the system fingerprint.
 */
export interface ChunkEvent {
  readonly type: 'chunk';
  /** Nothing in it was checked. */
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
