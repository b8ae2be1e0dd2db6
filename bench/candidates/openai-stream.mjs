// openai's `.stream()`.
import OpenAI from 'openai';
import { stream } from '../peers/openai.mjs';

export default stream(OpenAI);
