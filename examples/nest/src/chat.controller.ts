import type { ServerResponse } from 'node:http';
import { Body, Controller, Inject, Post, Query, Res, Sse } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { MessageEventLike } from 'rxjs-chat-completions';
import { ChatService } from './chat.service.js';
import { send, sendWhole } from './node-answers.js';
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
  events(
    @Body(new SchemaPipe(promptRequest)) body: PromptRequest,
    @Res() response: ServerResponse,
  ): Promise<void> {
    return send(this.chat.events(body), response);
  }

  @Post('v1/chat/completions')
  completion(
    @Body(new SchemaPipe(chatRequest)) body: ChatRequest,
    @Res() response: ServerResponse,
  ): Promise<void> {
    return body.stream === true
      ? send(this.chat.chunks(body), response)
      : sendWhole(this.chat.completion(body), response);
  }
}
