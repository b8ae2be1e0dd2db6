import { Body, Controller, Inject, Post, Query, Sse } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { type MessageEventLike, readableStreamFrom } from 'rxjs-chat-completions';
import { type Answer, ChatService, eventStreamHeaders } from './chat.service.js';
import { chatRequest, type ChatRequest, promptRequest, type PromptRequest, question } from './requests.js';
import { SchemaPipe } from './schema.pipe.js';

@Controller()
export class ChatController {
  constructor(@Inject(ChatService) private readonly chat: ChatService) {}

  @Sse('api/chat')
  ask(@Query('question', new SchemaPipe(question)) asked: string): Observable<MessageEventLike> {
    return this.chat.messages(asked);
  }

  @Post('api/chat')
  events(@Body(new SchemaPipe(promptRequest)) body: PromptRequest): Response {
    return eventStream(this.chat.events(body));
  }

  @Post('v1/chat/completions')
  chunks(@Body(new SchemaPipe(chatRequest)) body: ChatRequest): Response {
    return eventStream(this.chat.chunks(body));
  }
}

/**
 * NestJS reads the stream as fast as the client does, and cancels it where the client leaves. It sends the
 * headers with the first chunk, so that what fails before comes to the exception filter.
 */
export function eventStream({ text, demand }: Answer): Response {
  return new Response(readableStreamFrom(text, { demand }), { headers: eventStreamHeaders });
}
