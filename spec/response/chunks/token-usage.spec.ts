import type { TokenUsage } from '../../../src/turn/events.js';
import { readUsage } from '../../../src/response/chunks/token-usage.js';

const usage = (figures: Partial<TokenUsage> = {}): TokenUsage => ({
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningOutputTokens: 0,
  totalTokens: 0,
  ...figures,
});

describe('readUsage()', () => {
  it('reads every figure', () => {
    expect(
      readUsage({
        prompt_tokens: 10,
        completion_tokens: 20,
        total_tokens: 31,
        prompt_tokens_details: { cached_tokens: 4, audio_tokens: 1 },
        completion_tokens_details: { reasoning_tokens: 5, audio_tokens: 1 },
      }),
    ).toEqual({
      inputTokens: 10,
      cachedInputTokens: 4,
      outputTokens: 20,
      reasoningOutputTokens: 5,
      totalTokens: 31,
    });
  });

  it.each([undefined, null, 'x', 7, true, [], [{ prompt_tokens: 1 }]])('gives undefined for %j', (value) => {
    expect(readUsage(value)).toBeUndefined();
  });

  it('gives 0 for what is missing', () => {
    expect(readUsage({})).toEqual(usage());
  });

  it.each([-1, '10', null, true, {}, [10], NaN, Infinity, -Infinity])(
    'gives 0 for a figure that is %p',
    (value) => {
      expect(
        readUsage({
          prompt_tokens: value,
          completion_tokens: value,
          prompt_tokens_details: { cached_tokens: value },
          completion_tokens_details: { reasoning_tokens: value },
        }),
      ).toEqual(usage());
    },
  );

  it.each([null, 'x', 7, []])('gives 0 for details that are %j', (details) => {
    expect(readUsage({ prompt_tokens_details: details, completion_tokens_details: details })).toEqual(
      usage(),
    );
  });

  describe('takes the total', () => {
    it('for what the provider says it is, 0 too', () => {
      expect(readUsage({ prompt_tokens: 1, completion_tokens: 2, total_tokens: 0 })?.totalTokens).toBe(0);
    });

    it.each([undefined, null, '9', -1, {}])('for the sum where it is %j', (total_tokens) => {
      expect(readUsage({ prompt_tokens: 1, completion_tokens: 2, total_tokens })?.totalTokens).toBe(3);
    });
  });

  describe('takes cached tokens', () => {
    it.each([undefined, null, {}, { cached_tokens: null }])(
      'from prompt_cache_hit_tokens (DeepSeek) where the details are %j',
      (prompt_tokens_details) => {
        expect(readUsage({ prompt_tokens_details, prompt_cache_hit_tokens: 6 })).toEqual(
          usage({ cachedInputTokens: 6 }),
        );
      },
    );

    it('from the details where both are there', () => {
      expect(
        readUsage({ prompt_tokens_details: { cached_tokens: 0 }, prompt_cache_hit_tokens: 6 })
          ?.cachedInputTokens,
      ).toBe(0);
    });
  });

  it.each([
    ['input_tokens_details (Responses API)', { input_tokens_details: { cached_tokens: 6 } }],
    ['cached_tokens (Moonshot)', { cached_tokens: 6 }],
    ['cache_read_input_tokens (Anthropic)', { cache_read_input_tokens: 6 }],
  ])('takes cached tokens from %s', (_, figures) => {
    expect(readUsage(figures)).toEqual(usage({ cachedInputTokens: 6 }));
  });

  it('reads the names of the Responses API', () => {
    expect(
      readUsage({
        input_tokens: 10,
        output_tokens: 20,
        input_tokens_details: { cached_tokens: 4 },
        output_tokens_details: { reasoning_tokens: 5 },
      }),
    ).toEqual({
      inputTokens: 10,
      cachedInputTokens: 4,
      outputTokens: 20,
      reasoningOutputTokens: 5,
      totalTokens: 30,
    });
  });

  describe('takes reasoning tokens', () => {
    it.each([undefined, null, {}, { reasoning_tokens: null }])(
      'from reasoning_tokens where the details are %j',
      (completion_tokens_details) => {
        expect(readUsage({ completion_tokens_details, reasoning_tokens: 7 })).toEqual(
          usage({ reasoningOutputTokens: 7 }),
        );
      },
    );

    it('from the details where both are there', () => {
      expect(
        readUsage({ completion_tokens_details: { reasoning_tokens: 1 }, reasoning_tokens: 7 })
          ?.reasoningOutputTokens,
      ).toBe(1);
    });
  });

  it('counts own properties only', () => {
    const inherited = Object.create({ prompt_tokens: 9, total_tokens: 9 }) as object;
    expect(readUsage(inherited)).toEqual(usage());
  });
});
