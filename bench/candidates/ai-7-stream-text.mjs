// ai's `streamText`, the newest, which asks for Node 22.
import { streamText } from 'ai-7';
import { createOpenAICompatible } from 'ai-7-openai-compatible';
import { textStream } from '../peers/ai.mjs';

export default textStream(streamText, createOpenAICompatible);
