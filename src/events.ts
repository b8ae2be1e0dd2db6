import type { RequestFailure } from './errors.js';

/** Text that was given to a model. */
export interface InputText {
  readonly type: 'input_text';
  readonly text: string;
}

/** Text that a model wrote. */
export interface OutputText {
  readonly type: 'output_text';
  readonly text: string;
}

/** One part of a message's content. */
export type ContentPart = InputText | OutputText;

export type MessageRole = 'system' | 'developer' | 'user' | 'assistant';

/** A message, as OpenAI's Responses API writes it. */
export interface MessageItem {
  readonly type: 'message';
  readonly role: MessageRole;
  readonly content: readonly ContentPart[];
}

/**
 * One item of a conversation, in the exact JSON shape of OpenAI's Responses API, so that items
 * interchange with what an application already holds.
 */
export type ResponseItem = MessageItem;

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

/** A part of the answer: text arrives as many of these, each with what is new. */
export interface OutputItemDoneEvent {
  readonly type: 'output_item_done';
  readonly item: ResponseItem;
}

/** The end of a turn. Nothing follows it. */
export interface CompletedEvent {
  readonly type: 'completed';
  /** The provider's id of the answer, `''` where the stream held none. */
  readonly responseId: string;
  readonly model?: string;
  /** Why the model stopped, as the provider wrote it; `null` where the stream ended without a reason. */
  readonly finishReason: string | null;
  /** `null` where the stream held none; `includeUsage` asks for it. */
  readonly usage: TokenUsage | null;
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

/** What a turn emits. */
export type ResponseEvent = OutputItemDoneEvent | CompletedEvent | RetryingEvent;
