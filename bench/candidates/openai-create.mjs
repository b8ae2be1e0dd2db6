// openai's `create({ stream: true })`.
import OpenAI from 'openai';
import { create } from '../peers/openai.mjs';

export default create(OpenAI);
