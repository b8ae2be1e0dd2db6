import type { Signal } from '@angular/core';
import type { ObservableInput } from 'rxjs';
import type { InputItem, Prompt } from '../prompt/prompt.js';
import type { Run } from '../run/run.js';
import type { RunToolsOptions } from '../run/run-tools.js';
import type { Tool } from '../run/tool.js';
import type { RunState } from '../run/to-run-state.js';
import type { ChatCompletionsError } from '../turn/errors.js';
import type { ResponseEvent, ResponseItem } from '../turn/events.js';
import type { RunEvent } from '../turn/run-events.js';

/** A question in a chat. */
export interface ChatQuestion {
  readonly id: string;
  readonly role: 'user';
  /** Its text; `''` if it has none. */
  readonly text: string;
  /** The items that the model is sent. */
  readonly input: readonly ResponseItem[];
}

/** An answer in a chat. */
export interface ChatAnswer {
  readonly id: string;
  readonly role: 'assistant';
  /** The text of all its turns so far. */
  readonly text: string;
  /** Its turns, tools, status and error. */
  readonly state: RunState;
}

/** A message for a template. If it did not change, it is the same object as before. */
export type ChatMessage = ChatQuestion | ChatAnswer;

/** The answer for which a turn is requested. */
export interface AnswerContext {
  /** The id of the answer in `messages()`. */
  readonly id: string;
  /** The answer so far, if it resumes after a reload. */
  readonly resume: Run | undefined;
}

/** How a chat gets its answers. */
export interface ChatConfig extends Partial<Omit<RunToolsOptions, 'turn' | 'tools' | 'resume'>> {
  /** One turn of an answer: `streamChatCompletions()`, or events from your backend. */
  readonly turn?:
    ((prompt: Prompt, step: number, answer: AnswerContext) => ObservableInput<ResponseEvent>) | undefined;
  /** A whole answer, instead of `turn`: `runTools()`, or the events of a run from your backend. */
  readonly run?: ((prompt: Prompt, answer: AnswerContext) => ObservableInput<RunEvent>) | undefined;
  /** Tools that the model may call, with `turn`. */
  readonly tools?: readonly Tool[] | undefined;
  /** Sent first, as a `system` message. */
  readonly instructions?: string | undefined;
  /** The conversation to start with, as `messages()` returned it, also through JSON. */
  readonly messages?: readonly ChatMessage[] | undefined;
  /**
   * Resumes the last of `messages` if it is unfinished, instead of showing it as stopped. For turns that live on a server
   * under an id: after a reload, `turn` is called with the same `answer.id` and `step`. Default `false`.
   */
  readonly resume?: boolean | undefined;
  /**
   * How long events are collected before the signals change, as for `coalesce()`: milliseconds or a function. Default:
   * until the next animation frame, or 250 ms in a hidden tab, which has no frames.
   */
  readonly coalesce?: number | (() => ObservableInput<unknown>) | undefined;
}

/** A conversation, as signals. */
export interface Chat {
  /** Questions and answers, oldest first. */
  readonly messages: Signal<readonly ChatMessage[]>;
  /** The state of the last answer; `idleRunState` before the first question. */
  readonly state: Signal<RunState>;
  /** Whether the last answer is still being produced. */
  readonly isAnswering: Signal<boolean>;
  /** Why the last answer failed. */
  readonly error: Signal<ChatCompletionsError | undefined>;
  /**
   * Asks a question. An unfinished answer is stopped, and what arrived of it is kept. Blank text is not sent.
   *
   * @throws TypeError for anything but a text, an item or a list of items
   */
  send(question: string | InputItem | readonly InputItem[]): void;
  /** Aborts the request and the tools, and keeps what arrived of the answer. */
  stop(): void;
  /**
   * Asks a question again: the last one, or the one of the message with this id. Later messages are dropped.
   *
   * @throws RangeError if no message has this id
   */
  regenerate(id?: string): void;
  /**
   * Replaces a question and asks it. Later messages are dropped.
   *
   * @throws RangeError if no question has this id
   */
  edit(id: string, question: string | InputItem | readonly InputItem[]): void;
  /** Approves a call that waits for approval. Does nothing if no call with this id does. */
  approve(callId: string): void;
  /** Rejects a call that waits for approval. The model is told so, with the reason. */
  reject(callId: string, reason?: string): void;
  /** Stops, and clears the conversation. */
  clear(): void;
}
