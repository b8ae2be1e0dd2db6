// Compiled as a user's file against the packed declarations and those of each Angular.
import { type EnvironmentProviders, type Resource, type Signal, signal } from '@angular/core';
import { type ChatOptions, type RunState, streamChatCompletions, type Turn } from 'rxjs-chat-completions';
import {
  type Chat,
  type ChatMessage,
  injectChat,
  provideChat,
  type TurnResource,
  turnResource,
} from 'rxjs-chat-completions/angular';

declare const options: ChatOptions;

export const providers: EnvironmentProviders = provideChat(() => ({
  turn: (prompt, _step, { id }) => streamChatCompletions(prompt, { ...options, params: { user: id } }),
}));

export class Component {
  readonly topic = signal<string | undefined>(undefined);
  readonly chat: Chat = injectChat({ instructions: 'Be brief.' });
  readonly messages: Signal<readonly ChatMessage[]> = this.chat.messages;
  readonly state: Signal<RunState> = this.chat.state;
  readonly poem: TurnResource = turnResource({
    params: () => this.topic(),
    stream: ({ params }) => streamChatCompletions(`A poem about ${params.toUpperCase()}`, options),
  });
  readonly resource: Resource<Turn | undefined> = this.poem;
  readonly text: Signal<Turn> = this.poem.turn;
}

// @ts-expect-error a number is not a question
new Component().chat.send(7);
// @ts-expect-error it needs its params
export const wrong = turnResource({ stream: () => streamChatCompletions('Hi', options) });
