import { type HttpInterceptorFn, provideHttpClient, withFetch, withInterceptors } from '@angular/common/http';
import {
  afterEveryRender,
  type ApplicationConfig,
  inject,
  provideBrowserGlobalErrorListeners,
  provideEnvironmentInitializer,
  provideZonelessChangeDetection,
} from '@angular/core';
import { type ChatConfig, provideChat } from 'rxjs-chat-completions/angular';
import { changeTheme } from './chat/change-theme';
import { localTime } from './chat/local-time';
import { TURNS } from './chat/turns';
import { pageSetting } from './page-settings';
import { Theme } from './view/theme';

export const appConfig: ApplicationConfig = {
  providers: [
    provideBrowserGlobalErrorListeners(),
    provideZonelessChangeDetection(),
    provideHttpClient(withFetch(), withInterceptors([sayWhoAsks])),
    provideChat(chatConfig),
    provideEnvironmentInitializer(markRenders),
  ],
};

/** Runs for turns too where `chat-connection` is `http-client`. */
function sayWhoAsks(...[request, next]: Parameters<HttpInterceptorFn>): ReturnType<HttpInterceptorFn> {
  return next(request.clone({ setHeaders: { 'X-Requested-With': 'chat-in-angular' } }));
}

function chatConfig(): ChatConfig {
  const { turn, sharedTurn } = inject(TURNS);
  return {
    instructions: 'Answer shortly, in Markdown.',
    tools: [localTime, changeTheme(inject(Theme))],
    maxTurns: 5,
    turn:
      sharedTurn === undefined ? turn : (prompt, step, answer) => sharedTurn(`${answer.id}-${step}`, prompt),
  };
}

/** One entry in the browser's performance timeline for each run of change detection, where the page asks. */
function markRenders(): void {
  if (pageSetting('chat-mark-renders') === undefined) return;
  afterEveryRender({ read: () => void performance.mark('chat: render') });
}
