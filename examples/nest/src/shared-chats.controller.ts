import type { ServerResponse } from 'node:http';
import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import { send } from './node-answers.js';
import { chatId, promptRequest, type PromptRequest } from './requests.js';
import { SchemaPipe } from './schema.pipe.js';
import { SharedChats } from './shared-chats.js';

const id = new SchemaPipe(chatId);

@Controller('api/chats/:id')
export class SharedChatsController {
  constructor(@Inject(SharedChats) private readonly chats: SharedChats) {}

  /** Its prompt is that of the first: whoever sends it again, as after a reload, follows. */
  @Post()
  run(
    @Param('id', id) chat: string,
    @Body(new SchemaPipe(promptRequest)) body: PromptRequest,
    @Headers('last-event-id') after: string | undefined,
    @Res() response: ServerResponse,
  ): Promise<void> {
    return send(this.chats.run(chat, body, after), response);
  }

  /** For an `EventSource` too, which sends the header by itself. */
  @Get()
  follow(
    @Param('id', id) chat: string,
    @Headers('last-event-id') after: string | undefined,
    @Res() response: ServerResponse,
  ): Promise<void> {
    return send(this.chats.follow(chat, after), response);
  }

  /** Its body is `{}`, which no page of another origin can send as JSON unasked. */
  @Post('stop')
  @HttpCode(204)
  stop(@Param('id', id) chat: string): Promise<void> {
    return this.chats.stop(chat);
  }
}
