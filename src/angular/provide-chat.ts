import { type EnvironmentProviders, InjectionToken, makeEnvironmentProviders } from '@angular/core';
import type { ChatConfig } from './chat.js';

/** What `provideChat()` was given. */
export const CHAT_CONFIG = /* @__PURE__ */ new InjectionToken<ChatConfig>('ChatConfig');

/**
 * Configures every `injectChat()`. A function is called once, where it may `inject()`.
 *
 * @example
 * ```ts
 * bootstrapApplication(App, {
 *   providers: [provideChat(() => ({ turn: turnsFrom(inject(HttpClient)), tools: [weather] }))],
 * });
 * ```
 */
export function provideChat(config: ChatConfig | (() => ChatConfig)): EnvironmentProviders {
  return makeEnvironmentProviders([
    typeof config === 'function'
      ? { provide: CHAT_CONFIG, useFactory: config }
      : { provide: CHAT_CONFIG, useValue: config },
  ]);
}
