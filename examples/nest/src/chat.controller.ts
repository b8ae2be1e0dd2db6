import { Body, Controller, Inject, Post, Query, Sse } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { type MessageEventLike, readableStreamFrom } from 'rxjs-chat-completions';
import { type Answer, ChatService, eventStreamHeaders } from './chat.service.js';

@Controller()
export class ChatController {
  constructor(@Inject(ChatService) private readonly chat: ChatService) {}

  @Sse('api/chat')
  ask(@Query('question') question: unknown): Observable<MessageEventLike> {
    return this.chat.messages(question);
  }

  @Post('api/chat')
  events(@Body() body: unknown): Response {
    return eventStream(this.chat.events(body));
  }

  @Post('v1/chat/completions')
  chunks(@Body() body: unknown): Response {
    return eventStream(this.chat.chunks(body));
  }
}

/**
 * NestJS reads the stream as fast as the client does, and cancels it where the client leaves. It sends the
 * headers with the first chunk, so that what fails before comes to the exception filter.
 */
function eventStream({ text, demand }: Answer): Response {
  return new Response(readableStreamFrom(text, { demand }), { headers: eventStreamHeaders });
}
