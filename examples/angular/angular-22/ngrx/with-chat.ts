import { signalStoreFeature, withComputed, withMethods, withProps } from '@ngrx/signals';
import { type ChatConfig, injectChat } from 'rxjs-chat-completions/angular';

/** Adds a conversation to a store. What is not given here comes from `provideChat()`. */
export function withChat(config?: ChatConfig) {
  return signalStoreFeature(
    withProps(() => ({ _chat: injectChat(config) })),
    withComputed(({ _chat: { messages, isAnswering, error } }) => ({ messages, isAnswering, error })),
    withMethods(({ _chat: { send, stop, regenerate, edit, clear } }) => ({
      send,
      stop,
      regenerate,
      edit,
      clear,
    })),
  );
}
