import type { ChatOptions } from 'rxjs-chat-completions';
import { pageSetting } from '../page-settings';

/** The model and the endpoint that the page names: your backend, which has the key. */
export const chatOptions = (): ChatOptions => ({
  model: pageSetting('chat-model', document) ?? 'mock',
  provider: { name: 'backend', baseUrl: pageSetting('chat-base-url', document) ?? '/v1' },
});
