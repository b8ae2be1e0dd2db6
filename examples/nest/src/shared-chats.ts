import { createClient } from '@redis/client';
import { catchError, lastValueFrom, NEVER, type Observable, pipe, throwError } from 'rxjs';
import {
  Demand,
  encodeEventStream,
  type ResponseEvent,
  streamChatCompletions,
  toServerSentEvents,
} from 'rxjs-chat-completions';
import { redisLog } from 'rxjs-chat-completions/redis';
import { memoryLog, type SharedTurns, sharedTurns, type TurnLog } from 'rxjs-chat-completions/shared';
import { type Answer, answerOptions, earlyErrorsPass, refuseInvalid } from './chat.service.js';
import { promptOf, type PromptRequest } from './requests.js';
import type { Settings } from './settings.js';

/**
 * Turns that outlive the request that began them: whichever instance is asked runs, follows or stops them.
 *
 * Whoever knows an id may read the turn and stop it, so ids must not be guessable. Where users have sessions, make the
 * user part of the id that the log gets: `${user}:${id}` is nobody else's, whatever ids they send.
 */
export class SharedChats {
  private readonly turns: SharedTurns;
  private isClosing = false;

  constructor(private readonly settings: Settings) {
    // A page that is being reloaded is gone for a moment. One that stays away is not answered, and billed, for long.
    this.turns = sharedTurns(logOf(settings.redisUrl), { whenLeft: { abortAfter: 60_000 } });
  }

  /**
   * Runs the turn, or follows it where it has begun; takes it over where the instance that ran it has died.
   *
   * @param after - the `Last-Event-ID`
   */
  run(id: string, request: PromptRequest, after?: string): Answer {
    const turn = refuseInvalid(() =>
      streamChatCompletions(promptOf(request), { ...answerOptions(this.settings), includeRetries: true }),
    );
    return this.answerOf(this.turns.run(id, () => turn, { after }));
  }

  /** Follows a turn, for those who do not know its prompt. They cannot take it over. */
  follow(id: string, after?: string): Answer {
    return this.answerOf(this.turns.follow<ResponseEvent>(id, { after }));
  }

  /** Settles when the turn is over. */
  stop(id: string): Promise<void> {
    return lastValueFrom(this.turns.stop(id), { defaultValue: undefined });
  }

  /** Leaves the turns that run here to the other instances. NestJS calls it. */
  onModuleDestroy(): Promise<void> {
    this.isClosing = true;
    return this.turns.close();
  }

  /** A turn that others follow too does not wait for one of them: what a slow client has not read is kept for it. */
  private answerOf(events: Observable<ResponseEvent>): Answer {
    const turn = events.pipe(
      // That this instance ends is no error of the turn: a client that is cut off goes on elsewhere.
      catchError((error: unknown) => (this.isClosing ? NEVER : throwError(() => error))),
    );
    return {
      demand: new Demand(),
      text: turn.pipe(earlyErrorsPass(pipe(toServerSentEvents(), encodeEventStream()))),
    };
  }
}

/** A development machine runs without Redis, as one instance. */
function logOf(redisUrl: string | undefined): TurnLog {
  if (redisUrl === undefined) return memoryLog();
  const client = createClient(
    redisUrl.startsWith('unix:')
      ? { socket: { path: redisUrl.slice('unix:'.length), tls: false } }
      : { url: redisUrl },
  );
  // It connects again by itself; without a listener, an error would end the process.
  client.on('error', (error: { readonly code?: unknown }) => console.error('Redis:', error.code ?? 'error'));
  client.connect().catch(() => undefined);
  return redisLog(client);
}
