import { Body, Controller, HttpCode, Inject, Query, RequestMethod, Sse, SseSignal } from '@nestjs/common';
import { firstValueFrom, fromEvent, type Observable, ReplaySubject, share, takeUntil } from 'rxjs';
import {
  type ChatOptions,
  type MessageEventLike,
  streamChatCompletions,
  toMessageEvents,
  toServerSentEvents,
} from 'rxjs-chat-completions';
import { promptOf, promptRequest, type PromptRequest, question } from './requests.js';
import { SchemaPipe } from './schema.pipe.js';

@Controller('api/sse')
export class SseController {
  constructor(@Inject('ChatOptions') private readonly options: ChatOptions) {}

  @Sse()
  ask(@Query('question', new SchemaPipe(question)) asked: string): Observable<MessageEventLike> {
    return streamChatCompletions(asked, this.options).pipe(toServerSentEvents(), toMessageEvents());
  }

  @Sse('', { method: RequestMethod.POST })
  @HttpCode(200)
  async post(
    @Body(new SchemaPipe(promptRequest)) body: PromptRequest,
    @SseSignal() signal: AbortSignal,
  ): Promise<Observable<MessageEventLike>> {
    const turn = await begun(streamChatCompletions(promptOf(body), this.options), signal);
    return turn.pipe(toServerSentEvents(), toMessageEvents());
  }
}

/**
 * Settles with a turn when its first event has come, and rejects where it fails before: NestJS then answers with a status.
 * Until then nobody is subscribed but this, so the signal aborts the turn where the client leaves.
 */
async function begun<T>(turn: Observable<T>, signal: AbortSignal): Promise<Observable<T>> {
  signal.throwIfAborted();
  const events = turn.pipe(
    takeUntil(fromEvent(signal, 'abort')),
    // No reset: a turn that is over by the time NestJS subscribes must not be asked, and billed, again.
    share({
      connector: () => new ReplaySubject<T>(),
      resetOnRefCountZero: false,
      resetOnError: false,
      resetOnComplete: false,
    }),
  );
  await firstValueFrom(events);
  return events;
}
