import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ChatController } from './chat.controller.js';
import { ChatService } from './chat.service.js';
import { ProblemFilter } from './problem.filter.js';
import type { Settings } from './settings.js';

@Module({})
export class AppModule {
  static with(settings: Settings): DynamicModule {
    return {
      module: AppModule,
      controllers: [ChatController],
      providers: [
        { provide: ChatService, useValue: new ChatService(settings) },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
