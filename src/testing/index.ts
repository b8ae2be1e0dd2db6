export type { AnswerHead } from './answer.js';
export { type ScriptedAnswer, scriptedTransport, type ScriptedTransport } from './scripted-transport.js';
