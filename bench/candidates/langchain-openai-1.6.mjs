// @langchain/openai's `stream()`, the newest, which asks for Node 22.
import { ChatOpenAI } from 'langchain-openai-1.6';
import { stream } from '../peers/langchain.mjs';

export default stream(ChatOpenAI);
