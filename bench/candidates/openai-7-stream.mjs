// openai's `.stream()`, the newest, which asks for Node 22.
import OpenAI from 'openai-7';
import { stream } from '../peers/openai.mjs';

export default stream(OpenAI);
