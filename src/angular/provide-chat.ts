import { type EnvironmentProviders, InjectionToken, makeEnvironmentProviders } from '@angular/core';
import type { ChatConfig } from './chat.js';

/** The options of `provideChat()`. */
export const CHAT_CONFIG = /* @__PURE__ */ new InjectionToken<ChatConfig>('ChatConfig');

/**
 * Default options for every `injectChat()`. A function is called once, in an injection context.
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
