import { HttpClient } from '@angular/common/http';
import { inject, InjectionToken } from '@angular/core';
import { defer, type Observable, switchMap } from 'rxjs';
import {
  fetchTransport,
  type Prompt,
  type ResponseEvent,
  streamChatCompletions,
  type Transport,
} from 'rxjs-chat-completions';
import { pageSetting } from '../page-settings';
import { turnsFromBackend } from './backend-turns';
import { chatOptions } from './chat-options';
import { httpClientTransport } from './http-client-transport';
import { breakingOffline } from './offline';
import { sharedTurnsFromBackend } from './shared-turns';

/** Where turns come from. */
export interface Turns {
  readonly turn: (prompt: Prompt) => Observable<ResponseEvent>;
  /** A turn that outlives the page: after a reload, the same id goes on with it. */
  readonly sharedTurn: ((id: string, prompt: Prompt) => Observable<ResponseEvent>) | undefined;
}

/** As the page's `chat-connection` says. */
export const TURNS = new InjectionToken<Turns>('turns of a chat', {
  providedIn: 'root',
  factory() {
    const connection = pageSetting('chat-connection');
    const transport = transportFor(connection);
    return {
      turn:
        connection === 'backend' || connection === 'shared'
          ? turnsFromBackend('/api/chat', transport)
          : (prompt) =>
              streamChatCompletions(prompt, {
                ...chatOptions(),
                transport,
                includeRetries: true,
                includeUsage: true,
              }),
      sharedTurn: connection === 'shared' ? sharedTurnsFromBackend('/api/chats', transport) : undefined,
    };
  },
});

function transportFor(connection: string | undefined): Transport {
  if (connection === 'scripted') return scriptedInPage;
  return breakingOffline(
    connection === 'http-client' ? httpClientTransport(inject(HttpClient)) : fetchTransport(),
  );
}

/** Loaded where the page asks for it. */
const scriptedInPage: Transport = (request) =>
  defer(() => import('../../demo/scripted-transport')).pipe(
    switchMap(({ scriptedTransport }) => scriptedTransport(request)),
  );
