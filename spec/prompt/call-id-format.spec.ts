import { callIdWriter } from '../../src/prompt/call-id-format.js';

describe('callIdWriter', () => {
  it('leaves ids as they are where no form is named', () => {
    const write = callIdWriter(undefined);
    expect(['', 'a', 'call_1', '×'].map(write)).toEqual(['', 'a', 'call_1', '×']);
  });

  describe('for Mistral', () => {
    it.each(['D681PevKs', '000000000', 'abcdefghi'])('leaves %s as it is', (id) => {
      expect(callIdWriter('mistral')(id)).toBe(id);
    });

    it.each(['', 'a', 'call_0fyp', 'abcdefgh', 'abcdefghij', 'toolu_01ABCdef', 'äbcdefghi', 'abcdefghi\n'])(
      'makes nine letters and digits of %j',
      (id) => {
        expect(callIdWriter('mistral')(id)).toMatch(/^[a-z0-9]{9}$/);
      },
    );

    it('makes the same of the same id, in every prompt', () => {
      const write = callIdWriter('mistral');
      expect(write('call_1')).toBe(write('call_1'));
      expect(callIdWriter('mistral')('call_1')).toBe(write('call_1'));
    });

    it('makes others of others', () => {
      const write = callIdWriter('mistral');
      const ids = Array.from({ length: 20_000 }, (_, place) => write(`call_${place}`));
      expect(new Set(ids).size).toBe(20_000);
    });

    it('makes none that another id of the prompt has', () => {
      const taken = callIdWriter('mistral')('call_1');
      const write = callIdWriter('mistral');
      write(taken);
      expect(write('call_1')).toMatch(/^[a-z0-9]{9}$/);
      expect(write('call_1')).not.toBe(taken);
    });
  });
});
