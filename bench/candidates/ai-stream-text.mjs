// ai's `streamText`.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { streamText } from 'ai';
import { textStream } from '../peers/ai.mjs';

export default textStream(streamText, createOpenAICompatible);
