import { type EnvironmentProviders, makeEnvironmentProviders } from '@angular/core';
import { Chat } from './chat';
import { CHAT_SETTINGS, type ChatSettings } from './chat-settings';

/**
 * The chat and its settings. A function is called once, where it may `inject()`.
 *
 * @example
 * ```ts
 * bootstrapApplication(App, { providers: [provideChat({ baseUrl: '/v1', model: 'gpt-4o-mini' })] });
 * ```
 */
export function provideChat(settings: ChatSettings | (() => ChatSettings)): EnvironmentProviders {
  return makeEnvironmentProviders([
    typeof settings === 'function'
      ? { provide: CHAT_SETTINGS, useFactory: settings }
      : { provide: CHAT_SETTINGS, useValue: settings },
    Chat,
  ]);
}
