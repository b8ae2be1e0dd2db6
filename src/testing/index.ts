export type { AnswerHead } from './answer.js';
export { type ScriptedAnswer, scriptedTransport, type ScriptedTransport } from './scripted-transport.js';
export {
  type MarbleAnswer,
  type MarbleConnection,
  marbleTransport,
  type MarbleTransport,
} from './marble-transport.js';
