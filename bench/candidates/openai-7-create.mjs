// openai's `create({ stream: true })`, the newest, which asks for Node 22.
import OpenAI from 'openai-7';
import { create } from '../peers/openai.mjs';

export default create(OpenAI);
