import { InjectionToken } from '@angular/core';
import type { Observable, ObservableInput } from 'rxjs';
import type { FunctionTool, Prompt, ResponseEvent, Transport } from 'rxjs-chat-completions';

/** A tool that runs in the browser. */
export interface ChatTool {
  readonly definition: FunctionTool;
  /** Its first value is what the model is told; an error is told too. The arguments were not checked. */
  run(args: unknown): ObservableInput<unknown>;
}

export interface ChatSettings {
  /** Of an endpoint that speaks Chat Completions, without `/chat/completions`: your backend, as a rule. */
  readonly baseUrl: string;
  readonly model: string;
  readonly instructions?: string;
  readonly tools?: readonly ChatTool[];
  /** Default `fetchTransport()`. */
  readonly transport?: Transport;
  /** Where a turn comes from, if not from `baseUrl`. */
  readonly turns?: (prompt: Prompt) => Observable<ResponseEvent>;
}

export const CHAT_SETTINGS = new InjectionToken<ChatSettings>('settings of the chat');
