import { bootstrapApplication } from '@angular/platform-browser';
import { App } from './app/app';
import { appConfig } from './app/app.config';
import { pageSetting } from './app/page-settings';
import { SmallChat } from './small-chat';

const started =
  pageSetting('chat-view', document) === 'small'
    ? bootstrapApplication(SmallChat)
    : bootstrapApplication(App, appConfig);
started.catch((error: unknown) => console.error(error));
