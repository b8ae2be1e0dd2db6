import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ChatController } from './chat.controller.js';
import { answerOptions, ChatService } from './chat.service.js';
import { ProblemFilter } from './problem.filter.js';
import type { Settings } from './settings.js';
import { SharedChats } from './shared-chats.js';
import { SharedChatsController } from './shared-chats.controller.js';
import { SseController } from './sse.controller.js';

@Module({})
export class AppModule {
  static with(settings: Settings): DynamicModule {
    return {
      module: AppModule,
      controllers: [ChatController, SharedChatsController, SseController],
      providers: [
        { provide: ChatService, useValue: new ChatService(settings) },
        { provide: SharedChats, useValue: new SharedChats(settings) },
        { provide: 'ChatOptions', useValue: answerOptions(settings) },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
