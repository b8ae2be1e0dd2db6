export type { AnswerContext, Chat, ChatAnswer, ChatConfig, ChatMessage, ChatQuestion } from './chat.js';
export { injectChat } from './inject-chat.js';
export { provideChat } from './provide-chat.js';
export {
  turnResource,
  type TurnResource,
  type TurnResourceOptions,
  type TurnSnapshot,
} from './turn-resource.js';
