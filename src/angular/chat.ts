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
  /** Its text; `''` where it has none. */
  readonly text: string;
  /** What the model is sent. */
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

/** A message as a template shows it. One that did not change is the same object as before. */
export type ChatMessage = ChatQuestion | ChatAnswer;

/** The answer for which a turn is requested. */
export interface AnswerContext {
  /** The id of the answer in `messages()`. */
  readonly id: string;
  /** What there is of the answer already, where it goes on after a reload. */
  readonly resume: Run | undefined;
}

/** How a chat gets its answers. */
export interface ChatConfig extends Partial<Omit<RunToolsOptions, 'turn' | 'tools' | 'resume'>> {
  /** One turn of an answer: `streamChatCompletions()`, or events from a backend of yours. */
  readonly turn?:
    ((prompt: Prompt, step: number, answer: AnswerContext) => ObservableInput<ResponseEvent>) | undefined;
  /** A whole answer, in place of `turn`: `runTools()`, or the events of a run from a backend of yours. */
  readonly run?: ((prompt: Prompt, answer: AnswerContext) => ObservableInput<RunEvent>) | undefined;
  /** Tools that the model may call, with `turn`. */
  readonly tools?: readonly Tool[] | undefined;
  /** Sent first, as a `system` message. */
  readonly instructions?: string | undefined;
  /** The conversation to begin with, as `messages()` gave it; also after `JSON.parse(JSON.stringify(…))`. */
  readonly messages?: readonly ChatMessage[] | undefined;
  /**
   * Goes on with the last of `messages` where it is not over, rather than showing it as stopped. For turns that live on
   * a server under an id: after a reload, `turn` is called with the same `answer.id` and `step`.
   */
  readonly resume?: boolean | undefined;
  /**
   * How long events are collected until the signals change, as `coalesce()` takes it. Default: until the next animation
   * frame, or 250 ms in a hidden tab, which has no frames.
   */
  readonly coalesce?: number | (() => ObservableInput<unknown>) | undefined;
}

/** A conversation, as signals. */
export interface Chat {
  /** Questions and answers, oldest first. */
  readonly messages: Signal<readonly ChatMessage[]>;
  /** The last answer's state; `idleRunState` before the first question. */
  readonly state: Signal<RunState>;
  /** Whether the last answer is going on. */
  readonly isAnswering: Signal<boolean>;
  /** Why the last answer failed. */
  readonly error: Signal<ChatCompletionsError | undefined>;
  /**
   * Asks a question. An answer that is going on is stopped, and kept. A blank text is not sent.
   *
   * @throws TypeError for anything but a text, an item or a list of items
   */
  send(question: string | InputItem | readonly InputItem[]): void;
  /** Aborts the request and the tools, and keeps what there is of the answer. */
  stop(): void;
  /**
   * Asks a question again: the last one, or that of the message with this id. What follows the question is dropped.
   *
   * @throws RangeError where no message has this id
   */
  regenerate(id?: string): void;
  /**
   * Replaces a question and asks it. What followed it is dropped.
   *
   * @throws RangeError where no question has this id
   */
  edit(id: string, question: string | InputItem | readonly InputItem[]): void;
  /** Lets a call execute that waits for approval. Nothing happens where none with this id does. */
  approve(callId: string): void;
  /** Refuses a call that waits for approval. The model is told, with the reason. */
  reject(callId: string, reason?: string): void;
  /** Stops, and forgets the conversation. */
  clear(): void;
}
