// @langchain/openai's `stream()`.
import { ChatOpenAI } from '@langchain/openai';
import { stream } from '../peers/langchain.mjs';

export default stream(ChatOpenAI);
