import {
  HttpClient,
  type HttpInterceptorFn,
  provideHttpClient,
  withFetch,
  withInterceptors,
} from '@angular/common/http';
import {
  afterEveryRender,
  type ApplicationConfig,
  inject,
  provideBrowserGlobalErrorListeners,
  provideEnvironmentInitializer,
  provideZonelessChangeDetection,
} from '@angular/core';
import { fetchTransport } from 'rxjs-chat-completions';
import { turnsFromBackend } from './chat/backend-turns';
import { sharedTurnsFromBackend } from './chat/shared-turns';
import { httpClientTransport } from './chat/http-client-transport';
import type { ChatSettings } from './chat/chat-settings';
import { provideChat } from './chat/provide-chat';
import { localTime } from './chat/local-time';
import { breakingOffline } from './chat/offline';
import { pageSetting } from './page-settings';

export const appConfig: ApplicationConfig = {
  providers: [
    provideBrowserGlobalErrorListeners(),
    provideZonelessChangeDetection(),
    provideHttpClient(withFetch(), withInterceptors([sayWhoAsks])),
    provideChat(chatSettings),
    provideEnvironmentInitializer(markRenders),
  ],
};

/** Runs for turns too where `chat-connection` is `http-client`. */
function sayWhoAsks(...[request, next]: Parameters<HttpInterceptorFn>): ReturnType<HttpInterceptorFn> {
  return next(request.clone({ setHeaders: { 'X-Requested-With': 'chat-in-angular' } }));
}

function chatSettings(): ChatSettings {
  const connection = pageSetting('chat-connection');
  const transport = breakingOffline(
    connection === 'http-client' ? httpClientTransport(inject(HttpClient)) : fetchTransport(),
  );
  return {
    baseUrl: pageSetting('chat-base-url') ?? '/v1',
    model: pageSetting('chat-model') ?? 'mock',
    instructions: 'Answer shortly, in Markdown.',
    tools: [localTime],
    transport,
    ...((connection === 'backend' || connection === 'shared') && {
      turns: turnsFromBackend('/api/chat', transport),
    }),
    ...(connection === 'shared' && { sharedTurns: sharedTurnsFromBackend('/api/chats', transport) }),
  };
}

/** One entry in the browser's performance timeline for each run of change detection, where the page asks. */
function markRenders(): void {
  if (pageSetting('chat-mark-renders') === undefined) return;
  afterEveryRender({ read: () => void performance.mark('chat: render') });
}
