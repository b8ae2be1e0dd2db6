import { InjectionToken } from '@angular/core';
import type { Observable } from 'rxjs';
import type { Prompt, ResponseEvent, Tool, Transport } from 'rxjs-chat-completions';

export interface ChatSettings {
  /** Of an endpoint that speaks Chat Completions, without `/chat/completions`: your backend, as a rule. */
  readonly baseUrl: string;
  readonly model: string;
  readonly instructions?: string;
  /** Tools that run in the browser. */
  readonly tools?: readonly Tool[];
  /** Default `fetchTransport()`. */
  readonly transport?: Transport;
  /** Where a turn comes from, if not from `baseUrl`. */
  readonly turns?: (prompt: Prompt) => Observable<ResponseEvent>;
  /** Where the turns of answers come from that outlive the page: a reload goes on with the same `id`. */
  readonly sharedTurns?: (id: string, prompt: Prompt) => Observable<ResponseEvent>;
}

export const CHAT_SETTINGS = new InjectionToken<ChatSettings>('settings of the chat');
